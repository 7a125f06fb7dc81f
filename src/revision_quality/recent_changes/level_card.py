"""What a level costs and finds, in words for the filter's description."""

from revision_quality.levels.level import Level


def describe(level: Level) -> str:
    """Return the level's measured quality in one line."""
    share = f"{_percent(level.flag_rate)} of edits"
    if level.name == "likelygood":
        return f"{share}; about {_of_some(level.precision)} of them stay"
    return (
        f"{share}; about {_of_some(level.precision)} of them get reverted; "
        f"finds {_percent(level.recall)} of what gets reverted"
    )


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
