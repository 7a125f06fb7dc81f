"""What the labels view keeps of an edit, as its events tell it.

Events of a page reach a view in any order and more than once. Facts of an edit are the same in
every event that has them; of what may change the latest by the event's own time stays; what was
hidden once is not kept. So the same events tell the same in any order.
"""

from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import unix_seconds
from revision_quality.events.page_change import PageChange, PageChangeKind
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.events.verdict import VerdictEvent
from revision_quality.levels.counts import Label, editor_kind
from revision_quality.levels.said import said, with_said
from revision_quality.views.incoming import Key
from revision_quality.views.user_level import user_level

_REVERTED = frozenset({"mw-reverted"})
_REVERTING = frozenset({"mw-rollback", "mw-undo", "mw-manual-revert"})
"""MediaWiki's change tags (ChangeTags::TAG_REVERTED and those of reverts)."""


_EDITORS = 50_000
"""Fingerprints of editors kept in memory: few people make most edits."""

Page = tuple[str, int]
"""A wiki_id and a page_id."""


class Edit(Struct, frozen=True, array_like=True, gc=False):
    """A revision of a page, the columns of the table `edit_labels` in their order.

    `timestamp` is in Unix seconds, `is_known` says whether the edit's own event has come. `sha1` is
    a fingerprint of the text and `parent_sha1` of the parent's, as the event tells it; None where
    hidden or not told. `editor` is a fingerprint of the name, None where hidden. `undone_first` to
    `undone_last` are the revisions that MediaWiki says it reverts, 0 for none. `is_counted` says
    that it counts for levels. `reverted_by` is the revision by which someone else undid it within
    the waiting time, 0 for none, `reverted_after` the seconds until then.

    `undone_dt` is the time, Unix seconds, at which anybody undid it, however late, 0 if nobody did
    or its text came back; `undone_by` the revision that did, 0 where it is not known. `verdicts` is
    the JSON of `levels.said.Verdicts`, None where nobody has given one.
    """

    wiki_id: str
    rev_id: int
    page_id: int = 0
    timestamp: int = 0
    is_known: bool = False
    parent_id: int = 0
    sha1: str | None = None
    parent_sha1: str | None = None
    editor: str | None = None
    kind: str = "registered"
    is_counted: bool = False
    text_hidden: bool = False
    user_hidden: bool = False
    is_tagged_reverted: bool = False
    is_tagged_reverting: bool = False
    tags_dt: int = 0
    undone_first: int = 0
    undone_last: int = 0
    label: int = Label.KEPT
    reverted_by: int = 0
    reverted_after: int = 0
    undone_by: int = 0
    undone_dt: int = 0
    verdicts: str | None = None

    @property
    def key(self) -> Key:
        """The key of its rows."""
        return self.wiki_id, self.rev_id

    @property
    def page(self) -> Page:
        """The page that it is of."""
        return self.wiki_id, self.page_id


def with_page_change(edit: Edit, event: PageChange) -> Edit:
    """Return the edit with what its own event, or one that hides parts of it, tells."""
    revision, page = event.revision, event.page
    text = edit.text_hidden or revision.is_content_visible is False
    user = edit.user_hidden or revision.is_editor_visible is False
    timestamp = unix_seconds(revision.rev_dt)
    if event.page_change_kind is PageChangeKind.VISIBILITY_CHANGE:
        placed = replace(edit, page_id=page.page_id, timestamp=timestamp)
        return _hidden(placed, text=text, user=user)
    editor = revision.editor or event.performer
    prior = event.prior_state.revision if event.prior_state else None
    level = user_level(editor, revision.rev_dt)
    undone = revision.revert
    is_edit = event.page_change_kind is PageChangeKind.EDIT
    return replace(
        edit,
        page_id=page.page_id,
        timestamp=timestamp,
        is_known=True,
        parent_id=revision.rev_parent_id or 0,
        sha1=None if text else _fingerprint(revision.rev_sha1),
        parent_sha1=_fingerprint(prior.rev_sha1) if prior and is_edit else None,
        editor=None if user else _editor(editor.user_text if editor else None, event.wiki_id),
        kind=editor_kind(level, is_temp=bool(editor and editor.is_temp)),
        is_counted=is_edit and not text and not _is_bot(event),
        text_hidden=text,
        user_hidden=user,
        undone_first=(undone.rev_reverted_oldest_id or 0) if undone else 0,
        undone_last=(undone.rev_reverted_newest_id or 0) if undone else 0,
    )


def placed(edit: Edit, page_id: int, edited: datetime) -> Edit:
    """Return the edit where it belongs, as other events than its own tell, so that it can leave."""
    if edit.is_known:
        return edit
    return replace(edit, page_id=page_id, timestamp=unix_seconds(edited))


def with_visibility(edit: Edit, event: VisibilityChange) -> Edit:
    """Return the edit without the parts that are hidden now."""
    edit = placed(edit, event.page_id, event.rev_timestamp)
    return _hidden(edit, text=not event.visibility.text, user=not event.visibility.user)


def with_tags(edit: Edit, event: TagsChange) -> Edit:
    """Return the edit with what its tags say; the latest win."""
    tags, tags_dt = frozenset(event.tags), int(event.dt.timestamp() * 1000)
    told = (tags_dt, bool(tags & _REVERTED), bool(tags & _REVERTING))
    edit = placed(edit, event.page_id, event.rev_timestamp)
    if told < (edit.tags_dt, edit.is_tagged_reverted, edit.is_tagged_reverting):
        return edit
    return replace(
        edit,
        tags_dt=told[0],
        is_tagged_reverted=told[1],
        is_tagged_reverting=told[2],
    )


def with_verdict(edit: Edit, event: VerdictEvent) -> Edit:
    """Return the edit with what a patroller says of it, if the event tells the edit's place."""
    author = _editor(event.by, event.wiki_id)
    if event.page_id is None or event.rev_dt is None or author is None:
        return edit
    new = said(event.verdict, int(event.dt.timestamp() * 1000), event.meta.id or "")
    edit = placed(edit, event.page_id, event.rev_dt)
    return replace(edit, verdicts=with_said(edit.verdicts, author, new))


def after_deletion(edit: Edit) -> Edit | None:
    """Return what stays of an edit whose page was deleted: that its text is hidden, else nothing.

    A revision after a restoration may tell the fingerprint of this text as its parent's.
    """
    if not edit.text_hidden:
        return None
    wiki_id, rev_id = edit.key
    return Edit(wiki_id, rev_id, page_id=edit.page_id, timestamp=edit.timestamp, text_hidden=True)


def _is_bot(event: PageChange) -> bool:
    editor = event.revision.editor or event.performer
    return bool(editor and (editor.is_bot or "bot" in (editor.groups or ())))


def _hidden(edit: Edit, *, text: bool = False, user: bool = False) -> Edit:
    text, user = text or edit.text_hidden, user or edit.user_hidden
    return replace(
        edit,
        text_hidden=text,
        user_hidden=user,
        sha1=None if text else edit.sha1,
        editor=None if user else edit.editor,
        is_counted=edit.is_counted and not text,
    )


def _fingerprint(text: str | None) -> str | None:
    return None if text is None else _digest(text, "")


@lru_cache(maxsize=_EDITORS)
def _editor(name: str | None, wiki_id: str) -> str | None:
    return None if name is None else _digest(name, wiki_id)


def _digest(text: str, wiki_id: str) -> str:
    """Tell texts and editors of a wiki apart without keeping them."""
    return blake2b(f"{wiki_id} {text}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def day_of(timestamp: int | datetime) -> int:
    """Return the UTC day of a moment, counted from 1970-01-01."""
    seconds = timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp
    return int(seconds // 86400)
