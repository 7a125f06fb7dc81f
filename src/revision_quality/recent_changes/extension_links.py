"""What links of a wiki with our own extension ask for (extension/RevisionQuality, FilterHooks)."""

from collections.abc import Mapping, Sequence

from revision_quality.recent_changes.parameters import Choice, Notice
from revision_quality.recent_changes.wiki_levels import LEVELS
from revision_quality.views.change import State

NAME = "revisionquality"
"""Its parameter, and the group of its highlights."""

UNSCORED = "unscored"
UNSCORED_STATES = frozenset((State.PENDING.value, State.FAILED.value))
"""Edits that it calls so."""

_LEVELS = Choice(NAME, "levels", LEVELS)


def fields_of(
    given: Mapping[str, Sequence[str]],
) -> tuple[dict[str, frozenset[str]], list[Notice]]:
    """Return the fields of Filters that the extension's parameter fills, and what it does not.

    There edits without a score may be asked for beside those of a level; here a level leaves them
    out.
    """
    parts = [part.strip().lower() for value in given.get(NAME, ()) for part in value.split(";")]
    levels, notices = _LEVELS.read([part for part in parts if part != UNSCORED])
    if UNSCORED not in parts:
        return {"levels": levels}, notices
    if not levels:
        return {"states": UNSCORED_STATES}, notices
    return {"levels": levels}, [*notices, Notice(NAME, UNSCORED, _LEVELS.allowed)]
