"""What a level costs and finds, in words for the filter's description."""

from revision_quality.levels.level import Level, MeasuredLevel
from revision_quality.web.interface import Interface


def describe(level: Level, ui: Interface) -> str:
    """Return the level's measured quality in one line, of its own wiki with the interval."""
    key = "measured-stay" if level.name == "likelygood" else "measured-reverted"
    values = {
        "cost": _cost(level, ui),
        "some": _some(level.precision, ui),
        "interval": _interval(level, ui),
        "recall": ui.percent(level.recall),
    }
    return ui.text(key, **values)


def _cost(level: Level, ui: Interface) -> str:
    share = ui.percent(level.flag_rate)
    if not isinstance(level, MeasuredLevel):
        return ui.text("cost", share=share)
    return ui.text("cost-a-day", share=share, n=ui.rounded(level.edits_a_day))


def _interval(level: Level, ui: Interface) -> str:
    if not isinstance(level, MeasuredLevel):
        return ""
    return ui.text("interval", low=ui.percent(level.low), high=ui.percent(level.high))


def _some(share: float, ui: Interface) -> str:
    """Return a share in whole numbers out of 10, of 100 or of 1000, the first that tells it."""
    for total in (10, 100, 1000):
        count = round(share * total)
        if 0 < count < total:
            return ui.text("some-of", count=count, total=total)
    return ui.text("some-all" if share >= 0.5 else "some-none")
