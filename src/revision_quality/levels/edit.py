"""What the labels view keeps of an edit, and the label that its page and patrollers give it.

Events of a page reach a view in any order and more than once. Facts of an edit are the same in
every event that has them; of what may change the latest by the event's own time stays; what was
hidden once is not kept. So the same events give the same labels in any order.

A verdict `damaging` labels an edit reverted, `fine` and `false_positive` label it kept, whatever
its page's history says and without a waiting time of its own. Of several authors the majority
counts, of each author the latest verdict; where there is none, the history's label holds.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import blake2b

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.clock import unix_seconds
from revision_quality.events.page_change import PageChange, PageChangeKind
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.events.verdict import VerdictEvent
from revision_quality.levels.counts import Label, editor_kind
from revision_quality.levels.said import label_said, said, with_said
from revision_quality.views.user_level import user_level
from revision_quality.wiki.reverts import RADIUS, Fate, Judged, judged

WAIT_SECONDS = 48 * 3600
"""What is not reverted after two days stays as a rule: of what gets reverted on the English
Wikipedia 95 % are within one day (measured on an hour of 2026, n = 120)."""

_REVERTED = frozenset({"mw-reverted"})
_REVERTING = frozenset({"mw-rollback", "mw-undo", "mw-manual-revert"})
"""MediaWiki's change tags (ChangeTags::TAG_REVERTED and those of reverts)."""

_LABELS = {Fate.KEPT: Label.KEPT, Fate.REVERTED: Label.REVERTED, Fate.UNCLEAR: Label.UNCLEAR}


class Edit(Struct, frozen=True, kw_only=True, array_like=True):
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
        editor=None if user else _fingerprint(editor.user_text if editor else None, event.wiki_id),
        kind=editor_kind(level, is_temp=bool(editor and editor.is_temp)),
        is_counted=is_edit and not text and not _is_bot(event),
        text_hidden=text,
        user_hidden=user,
        undone_first=(undone.rev_reverted_oldest_id or 0) if undone else 0,
        undone_last=(undone.rev_reverted_newest_id or 0) if undone else 0,
    )


def with_prediction(edit: Edit, event: PredictionChange) -> Edit:
    """Return the edit with its place, by which it leaves with its page; a score tells no more."""
    return _placed(edit, event.page.page_id, event.revision.rev_dt)


def with_visibility(edit: Edit, event: VisibilityChange) -> Edit:
    """Return the edit without the parts that are hidden now."""
    edit = _placed(edit, event.page_id, event.rev_timestamp)
    return _hidden(edit, text=not event.visibility.text, user=not event.visibility.user)


def with_tags(edit: Edit, event: TagsChange) -> Edit:
    """Return the edit with what its tags say; the latest win."""
    tags, tags_dt = frozenset(event.tags), int(event.dt.timestamp() * 1000)
    told = (tags_dt, bool(tags & _REVERTED), bool(tags & _REVERTING))
    edit = _placed(edit, event.page_id, event.rev_timestamp)
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
    author = _fingerprint(event.by, event.wiki_id)
    if event.page_id is None or event.rev_dt is None or author is None:
        return edit
    new = said(event.verdict, int(event.dt.timestamp() * 1000), event.meta.id or "")
    edit = _placed(edit, event.page_id, event.rev_dt)
    return replace(edit, verdicts=with_said(edit.verdicts, author, new))


def labelled(page: Collection[Edit], wait: int = WAIT_SECONDS) -> list[Edit]:
    """Label the edits of one page, by all of them that are known; `wait` is in seconds.

    An edit is reverted if someone else undid it within `wait` and its text did not come back
    within that time: by the checksums (`wiki.reverts`), by what MediaWiki says that a revision
    reverts, or by the tag that it gives to reverted edits, which then were undone by the next edit
    that is tagged as a revert. Where the wiki tells the checksum of an edit's parent, a revert to
    a text from before the first known revision is found, too.
    """
    known = sorted((edit for edit in page if edit.is_known), key=lambda edit: edit.rev_id)
    hidden = {edit.rev_id for edit in page if edit.text_hidden}
    history = list(_with_first_parent(known, hidden))
    if not _may_undo(history):
        return [
            edit
            if _is_as_new(edit) and edit.parent_id not in hidden
            else _labelled(edit, _KEPT, _KEPT, hidden=edit.parent_id in hidden)
            for edit in known
        ]
    ever = _judged(history, lambda _earlier, _later: True)
    in_time = ever
    if any(each.undone_first for each in ever.values()):
        in_time = _judged(history, lambda one, later: later.timestamp - one.timestamp <= wait)
    return [
        _labelled(edit, in_time[edit.rev_id], ever[edit.rev_id], hidden=edit.parent_id in hidden)
        for edit in known
    ]


def _may_undo(history: Sequence[Edit]) -> bool:
    """Tell whether any of a page's edits may undo another: one has a text again, or is said to."""
    texts = [edit.sha1 for edit in history if edit.sha1 is not None]
    return len(set(texts)) < len(texts) or any(
        edit.undone_first or edit.is_tagged_reverting for edit in history
    )


def _is_as_new(edit: Edit) -> bool:
    """Tell whether an edit that nobody undid has the label with which edits begin."""
    return (
        edit.label == Label.KEPT
        and not edit.reverted_by
        and not edit.undone_dt
        and not edit.is_tagged_reverted
        and edit.verdicts is None
        and not _changes_nothing(edit)
    )


_KEPT: Judged[Edit] = Judged(Edit(wiki_id="", rev_id=0), Fate.KEPT, None)


def _judged(
    history: Sequence[Edit], counts: Callable[[Edit, Edit], bool]
) -> Mapping[int, Judged[Edit]]:
    found = judged(
        history, lambda edit: (edit.sha1, edit.editor), RADIUS, also=_is_told, counts=counts
    )
    return {each.item.rev_id: each for each in found}


def _labelled(edit: Edit, in_time: Judged[Edit], ever: Judged[Edit], *, hidden: bool) -> Edit:
    """Label an edit; `hidden` says that its parent's text is."""
    by, by_verdict = in_time.undone_by, label_said(edit.verdicts)
    undone_by, undone_dt = _undone(edit, ever)
    return replace(
        edit,
        parent_sha1=None if hidden else edit.parent_sha1,
        is_counted=edit.is_counted and not _changes_nothing(edit),
        label=int(_LABELS[in_time.fate] if by_verdict is None else by_verdict),
        reverted_by=by.rev_id if by else 0,
        reverted_after=by.timestamp - edit.timestamp if by else 0,
        undone_by=undone_by,
        undone_dt=undone_dt,
    )


def _undone(edit: Edit, ever: Judged[Edit]) -> tuple[int, int]:
    if ever.came_back:
        return 0, 0
    if ever.undone_first:
        return ever.undone_first.rev_id, ever.undone_first.timestamp
    return 0, edit.tags_dt // 1000 if edit.is_tagged_reverted else 0


def _with_first_parent(known: Sequence[Edit], hidden: set[int]) -> Iterable[Edit]:
    """Put in the parents that are not among the known, as far as their children tell of them."""
    there = {edit.rev_id for edit in known}
    for edit in known:
        is_told = edit.parent_sha1 and edit.parent_id and edit.parent_id not in hidden
        if is_told and edit.parent_id not in there:
            there.add(edit.parent_id)
            yield Edit(
                wiki_id=edit.wiki_id,
                rev_id=edit.parent_id,
                timestamp=edit.timestamp,
                is_known=True,
                sha1=edit.parent_sha1,
            )
        yield edit


def _is_told(earlier: Edit, later: Edit) -> bool:
    is_named = later.undone_first <= earlier.rev_id <= later.undone_last
    return is_named or (earlier.is_tagged_reverted and later.is_tagged_reverting)


def _changes_nothing(edit: Edit) -> bool:
    return edit.sha1 is not None and edit.sha1 == edit.parent_sha1


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


def _placed(edit: Edit, page_id: int, edited: datetime) -> Edit:
    """Return the edit where it belongs, as other events than its own tell it."""
    if edit.is_known:
        return edit
    return replace(edit, page_id=page_id, timestamp=unix_seconds(edited))


def _fingerprint(text: str | None, wiki_id: str = "") -> str | None:
    """Tell texts and editors of a wiki apart without keeping them."""
    if text is None:
        return None
    return blake2b(f"{wiki_id} {text}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def day_of(timestamp: int | datetime) -> int:
    """Return the UTC day of a moment, counted from 1970-01-01."""
    seconds = timestamp.timestamp() if isinstance(timestamp, datetime) else timestamp
    return int(seconds // 86400)
