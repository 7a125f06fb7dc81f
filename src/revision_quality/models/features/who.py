"""Features of the editor and of the moment."""

from datetime import datetime

from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

_DAY = 86400.0
_MISSING = -1.0
EDIT_COUNT_CAP = 1000.0
AGE_CAP_DAYS = 365.0

FEATURES = (
    Feature(
        "user_is_anonymous",
        "1 where no permanent account made the edit (an address or a temporary account)",
        "flag",
        "user.user_id, user.is_temp",
        high=1,
    ),
    Feature(
        "user_edit_count",
        "edits of the account before this one; more than 1000 count as 1000",
        "edits",
        "user.edit_count",
        high=EDIT_COUNT_CAP,
        missing=_MISSING,
    ),
    Feature(
        "user_age",
        "age of the account at the edit; more than a year counts as a year",
        "days",
        "user.registration_dt, rev_dt",
        high=AGE_CAP_DAYS,
        missing=_MISSING,
    ),
    Feature(
        "same_editor_as_parent",
        "1 where the revision before is by the same editor",
        "flag",
        "user.user_text, parent.user_text",
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "parent_age",
        "time since the revision before; times out of order count as 0",
        "days",
        "rev_dt, parent.rev_dt",
        missing=_MISSING,
    ),
)


def _days_between(earlier: datetime | None, later: datetime) -> float:
    if earlier is None or (earlier.tzinfo is None) != (later.tzinfo is None):
        return _MISSING
    return max((later - earlier).total_seconds() / _DAY, 0.0)


def measure(revision: Revision) -> tuple[float, ...]:
    """Return the values of FEATURES; anonymous editors have neither edit count nor age.

    An address has no edit count in MediaWiki's API, so none is taken even where one is given.
    """
    user, parent = revision.user, revision.parent
    anonymous = user.is_anonymous or user.is_temp
    edits = _MISSING
    age = _MISSING
    if not anonymous:
        if user.edit_count is not None:
            edits = min(max(float(user.edit_count), 0.0), EDIT_COUNT_CAP)
        age = min(_days_between(user.registration_dt, revision.rev_dt), AGE_CAP_DAYS)
    same = _MISSING
    if user.user_text is not None and parent.user_text is not None:
        same = float(user.user_text == parent.user_text)
    return (
        float(anonymous),
        edits,
        age,
        same,
        _days_between(parent.rev_dt, revision.rev_dt),
    )
