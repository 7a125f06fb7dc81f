"""The user of a change in one number (`name_key`)."""

from revision_quality.views.change import Change
from revision_quality.views.name_key import name_key


def user_key_of(change: Change) -> int | None:
    """Return the number of a change's user, None where nobody is named."""
    if change.deleted or change.user_hidden or change.user is None:
        return None
    return name_key(change.wiki_id, change.user)
