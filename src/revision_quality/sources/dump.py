"""Edits in from a MediaWiki XML history dump, with their texts: the wiki is not asked."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from revision_quality.errors import DumpError
from revision_quality.events import page_change as wire
from revision_quality.events import streams as names
from revision_quality.events.identity import with_log_id
from revision_quality.events.meta import Meta, event_id
from revision_quality.events.page_change import (
    ChangelogKind,
    ContentSlot,
    PageChange,
    PageChangeKind,
    PageEntity,
    PriorRevision,
    PriorState,
    RevisionEntity,
    UserEntity,
)
from revision_quality.sites import Site
from revision_quality.sources.recent_change import base36_sha1
from revision_quality.wiki.contents import Content, Contents, Room
from revision_quality.wiki.dump import Tick, read_dump
from revision_quality.wiki.history import HistoryPage, HistoryRevision, is_temporary_name
from revision_quality.wiki.reader import Unreadable, revision_of
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.user_histories import UserHistories, Users

KEPT_BYTES = 32 * 1024 * 1024
"""Of a page's texts, for the edits to come; their parent is nearly always the edit before."""


class DumpEdit(Struct, frozen=True):
    """An edit, `number` from 1 in the dump's order, and what is known of its text and parent's."""

    number: int
    change: PageChange
    contents: dict[int, Content | Unreadable]

    @property
    def size(self) -> int:
        """The characters of both texts."""
        found = self.contents.values()
        return sum(len(content.text) for content in found if isinstance(content, Content))


class DumpReader:
    """Reads edits of a dump from the texts that they brought along."""

    def __init__(self, edits: Iterable[DumpEdit]) -> None:
        self._contents = {edit.change.revision.rev_id: edit.contents for edit in edits}

    async def read(self, changes: Sequence[PageChange]) -> list[Revision | Unreadable]:
        """Return one answer for each edit, in their order."""
        return [
            revision_of(change, self._contents.get(change.revision.rev_id, {}))
            for change in changes
        ]

    async def check(self) -> None:
        """A dump always answers."""


def count_users(
    path: Path, wiki_id: str, users: UserHistories, *, tick: Tick = lambda _: None
) -> None:
    """Take note of who edited when, and count. Raises DumpError."""
    for history in read_dump(path, wiki_id, 0, tick=tick):
        for revision in history:
            if revision.user_text is not None:
                users.add(revision.user_text, revision.timestamp)
    users.finish()


def dump_edits(
    path: Path, site: Site, users: Users | None = None, *, tick: Tick = lambda _: None
) -> Iterator[DumpEdit]:
    """Return every revision of a dump as an edit, page by page, oldest first.

    `meta.dt` is left to who emits the event.

    Memory holds texts of one page, KEPT_BYTES at most. `users` give an account's edits so far and
    the time of its first one, which stand in for its edit count and registration; without them both
    are unknown, as they are of addresses and temporary accounts in production. Raises DumpError.
    """
    number = 0
    for history in read_dump(path, site.wiki_id, tick=tick):
        page = _Page(site, users)
        for revision in history:
            number += 1
            change, contents = page.edit(_checked(path, revision))
            yield DumpEdit(number, change, contents)


class _Page:
    """One page's history so far."""

    def __init__(self, site: Site, users: Users | None) -> None:
        self._site = site
        self._users = users
        self._texts = Contents(Room(KEPT_BYTES))
        self._unreadable: dict[int, Unreadable] = {}
        self._sizes: dict[int, int] = {}
        self._last = 0

    def edit(self, revision: HistoryRevision) -> tuple[PageChange, dict[int, Content | Unreadable]]:
        """Return the event of the next revision, and the contents of it and of its parent."""
        rev_id = revision.rev_id or 0
        # Formats before 0.7 do not name the parent.
        parent_id = self._last if revision.parent_id is None else revision.parent_id
        found = {rev_id: _content(revision), parent_id: self._known(parent_id)}
        change = _change(revision, self._site, self._users, parent_id, self._sizes.get(parent_id))
        self._keep(rev_id, found[rev_id])
        self._sizes = {rev_id: revision.size}
        self._last = rev_id
        return change, {key: value for key, value in found.items() if value is not None}

    def _known(self, rev_id: int) -> Content | Unreadable | None:
        return self._texts.get(rev_id) or self._unreadable.get(rev_id)

    def _keep(self, rev_id: int, content: Content | Unreadable | None) -> None:
        if isinstance(content, Content):
            self._texts.put(rev_id, content)
        elif content is not None:
            self._unreadable[rev_id] = content


def _checked(path: Path, revision: HistoryRevision) -> HistoryRevision:
    if revision.rev_id is None or revision.page.page_id is None:
        raise DumpError(
            f"{path}: {revision.page.title!r} has a revision of {revision.timestamp} without its"
            " id or the page's, so that a score could not be told whose it is."
        )
    return revision


def _content(revision: HistoryRevision) -> Content | Unreadable:
    rev_id = revision.rev_id
    if revision.is_text_hidden:
        return Unreadable("revision_hidden", f"The text of revision {rev_id} is hidden.")
    if revision.text is None:
        return Unreadable("revision_missing", f"The dump has no text of revision {rev_id}.")
    if not revision.is_wikitext:
        model = revision.content_model
        return Unreadable("not_wikitext", f"Revision {rev_id} is {model}, not wikitext.")
    return Content(
        text=revision.text,
        rev_dt=revision.timestamp,
        comment=revision.comment,
        user_text=revision.user_text,
    )


def _change(
    revision: HistoryRevision,
    site: Site,
    users: Users | None,
    parent_id: int,
    parent_size: int | None,
) -> PageChange:
    editor = _editor(revision, users)
    prior = PriorRevision(rev_id=parent_id, rev_size=parent_size)
    return with_log_id(
        PageChange(
            schema=wire.SCHEMA,
            meta=_meta(revision.page, revision.rev_id or 0, site),
            dt=revision.timestamp,
            wiki_id=site.wiki_id,
            page_change_kind=PageChangeKind.EDIT if parent_id else PageChangeKind.CREATE,
            changelog_kind=ChangelogKind.UPDATE if parent_id else ChangelogKind.INSERT,
            page=PageEntity(
                page_id=revision.page.page_id or 0,
                page_title=revision.page.title.replace(" ", "_"),
                namespace_id=revision.page.namespace_id,
            ),
            performer=editor,
            revision=_revision(revision, parent_id, editor),
            prior_state=PriorState(revision=prior) if parent_id else None,
        )
    )


def _revision(
    revision: HistoryRevision, parent_id: int, editor: UserEntity | None
) -> RevisionEntity:
    sha1 = base36_sha1(revision.checksum) if revision.checksum else None
    slot = ContentSlot(
        slot_role="main",
        content_model=revision.content_model,
        content_sha1=sha1,
        content_size=revision.size if sha1 else None,
    )
    return RevisionEntity(
        rev_id=revision.rev_id or 0,
        rev_dt=revision.timestamp,
        rev_parent_id=parent_id,
        rev_size=revision.size if sha1 else None,
        rev_sha1=sha1,
        is_minor_edit=revision.is_minor,
        comment=revision.comment,
        is_content_visible=not revision.is_text_hidden,
        is_editor_visible=revision.user_text is not None,
        is_comment_visible=revision.comment is not None,
        editor=editor,
        content_slots={"main": slot},
    )


def _editor(revision: HistoryRevision, users: Users | None) -> UserEntity | None:
    name = revision.user_text
    if name is None:
        return None
    is_temp = is_temporary_name(name)
    is_address = revision.is_anonymous and not is_temp
    past = None
    if users is not None and not revision.is_anonymous:
        past = users.look_up(name, revision.timestamp)
    return UserEntity(
        user_text=name,
        user_id=revision.user_id or None,
        groups=("*",) if is_address else ("*", "user"),
        is_temp=is_temp,
        is_system=False,
        edit_count=past.prior_edits if past else None,
        registration_dt=past.first_seen if past else None,
    )


def _meta(page: HistoryPage, rev_id: int, site: Site) -> Meta:
    return Meta(
        stream=names.PAGE_CHANGE,
        id=event_id("dump", site.wiki_id, rev_id),
        domain=site.server.partition("://")[2] or None,
        uri=site.page_url(page.title) if site.server else None,
    )
