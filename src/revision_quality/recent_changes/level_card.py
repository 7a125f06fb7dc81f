"""What a level costs and finds, in words for the filter's description."""

from revision_quality.levels.level import Level, MeasuredLevel


def describe(level: Level) -> str:
    """Return the level's measured quality in one line, of its own wiki with the interval."""
    words = f"{_share(level)}; about {_of_some(level.precision)} of them"
    if level.name == "likelygood":
        return f"{words} stay{_interval(level)}"
    return (
        f"{words} get reverted{_interval(level)}; "
        f"finds {_percent(level.recall)} of what gets reverted"
    )


def _share(level: Level) -> str:
    share = f"{_percent(level.flag_rate)} of edits"
    if not isinstance(level, MeasuredLevel):
        return share
    return f"{share}, {_a_day(level.edits_a_day)} a day"


def _interval(level: Level) -> str:
    if not isinstance(level, MeasuredLevel):
        return ""
    return f" ({_percent(level.low)} to {_percent(level.high)})"


def _a_day(edits: float) -> str:
    return f"{edits:,.0f}" if edits >= 10 else f"{edits:.1f}"


def _of_some(share: float) -> str:
    """Return a share in whole numbers out of 10, of 100 or of 1000, the first that tells it."""
    for total in (10, 100, 1000):
        count = round(share * total)
        if 0 < count < total:
            return f"{count} of {total}"
    return "all" if share >= 0.5 else "none"


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %"
