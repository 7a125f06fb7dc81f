"""By what rules the settings have levels chosen."""

from collections.abc import Mapping

from revision_quality.errors import SettingsError
from revision_quality.levels.keeper import Choosing
from revision_quality.levels.target import DEFAULT_TARGETS, Target, parse_target
from revision_quality.recent_changes.wiki_levels import LEVELS
from revision_quality.settings import Levels


def choosing_of(settings: Levels) -> Choosing:
    """Read the targets of the settings. Raises SettingsError naming the key."""
    general = _targets(settings.targets, "levels.targets")
    own = {
        wiki_id: general | _targets(texts, f"levels.wikis.{wiki_id}")
        for wiki_id, texts in settings.wikis.items()
    }
    shipped = _targets(DEFAULT_TARGETS, "levels.targets")

    def targets(wiki_id: str) -> Mapping[str, Target]:
        found = shipped | own.get(wiki_id, general)
        return {name: found[name] for name in LEVELS}

    return Choosing(
        targets=targets,
        window_days=settings.window_days,
        wait=settings.wait,
        every=settings.every_hours * 3600,
    )


def check_level(name: str) -> str:
    """Return the name of a level. Raises SettingsError if there is none such."""
    if name not in LEVELS:
        raise SettingsError(f"there is no level {name!r}; known are {', '.join(LEVELS)}")
    return name


def _targets(texts: Mapping[str, str], key: str) -> dict[str, Target]:
    try:
        return {check_level(name): parse_target(text) for name, text in texts.items()}
    except SettingsError as error:
        raise SettingsError(f"{key}: {error}") from error
