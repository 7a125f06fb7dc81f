"""What lies around a change in the view: the page's edits beside it, the user's others."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, or_, select

from revision_quality.views.change import Change
from revision_quality.views.tables import changes
from revision_quality.views.user_key import user_key_of

USER_CHANGES = 8
"""So many of a user's other changes are shown."""

_columns = changes.c
_PRESENT = _columns.deleted.is_(False)


def one(wiki_id: str, rev_ids: Sequence[int]) -> Select[tuple[object]]:
    """Return the statement for some revisions of a wiki, deleted ones too."""
    return select(changes).where(_columns.wiki_id == wiki_id, _columns.rev_id.in_(rev_ids))


def previous_of_page(change: Change) -> Select[tuple[object]]:
    """Return the statement for the edit of the same page before a change."""
    before = or_(
        _columns.timestamp < change.timestamp,
        and_(_columns.timestamp == change.timestamp, _columns.rev_id < change.rev_id),
    )
    upto = _columns.timestamp <= change.timestamp
    ordered = _of_page(change, and_(upto, before)).order_by(
        _columns.timestamp.desc(), _columns.rev_id.desc()
    )
    return ordered.limit(1)


def next_of_page(change: Change) -> Select[tuple[object]]:
    """Return the statement for the edit of the same page after a change."""
    behind = or_(
        _columns.timestamp > change.timestamp,
        and_(_columns.timestamp == change.timestamp, _columns.rev_id > change.rev_id),
    )
    since = _columns.timestamp >= change.timestamp
    ordered = _of_page(change, and_(since, behind)).order_by(_columns.timestamp, _columns.rev_id)
    return ordered.limit(1)


def others_of_user(change: Change) -> Select[tuple[object]] | None:
    """Return the statement for the newest other changes of a change's user, None of no user."""
    key = user_key_of(change)
    if key is None:
        return None
    # The name too: a number may be another's.
    own = and_(_columns.user_key == key, _columns.user == change.user)
    others = and_(own, _columns.wiki_id == change.wiki_id, _columns.rev_id != change.rev_id)
    ordered = select(changes).where(others, _PRESENT).order_by(_columns.timestamp.desc())
    return ordered.limit(USER_CHANGES)


def _of_page(change: Change, condition: ColumnElement[bool]) -> Select[tuple[object]]:
    page = and_(_columns.wiki_id == change.wiki_id, _columns.page_id == change.page_id)
    return select(changes).where(page, condition, _PRESENT)
