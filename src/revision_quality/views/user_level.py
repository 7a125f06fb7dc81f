"""How experienced an editor is, in MediaWiki's words."""

from datetime import datetime, timedelta

from revision_quality.events.page_change import UserEntity
from revision_quality.views.change import UserLevel

LEARNER_EDITS, LEARNER_AGE = 10, timedelta(days=4)
EXPERIENCED_EDITS, EXPERIENCED_AGE = 500, timedelta(days=30)
"""MediaWiki's defaults of $wgLearnerEdits, $wgLearnerMemberSince and of the Experienced pair."""


def user_level(user: UserEntity | None, at: datetime) -> UserLevel:
    """Return the level of an editor at the time of an edit.

    A temporary account counts as unregistered, as in MediaWiki's filter. A user who is hidden or
    of whom edit count or registration are unknown is REGISTERED.
    """
    if user is None:
        return UserLevel.REGISTERED
    if is_anonymous(user) or user.is_temp:
        return UserLevel.UNREGISTERED
    if user.edit_count is None or user.registration_dt is None:
        return UserLevel.REGISTERED
    age = at - user.registration_dt
    if user.edit_count >= EXPERIENCED_EDITS and age >= EXPERIENCED_AGE:
        return UserLevel.EXPERIENCED
    if user.edit_count >= LEARNER_EDITS and age >= LEARNER_AGE:
        return UserLevel.LEARNER
    return UserLevel.NEWCOMER


def is_anonymous(user: UserEntity) -> bool:
    """Tell whether no account made the edit: an event's anonymous editor has no user_id.

    A registered user of another wiki's import has none either, but is in the group `user`.
    """
    return not user.user_id and not user.is_temp and "user" not in (user.groups or ())
