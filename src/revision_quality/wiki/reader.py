"""Revisions assembled from a wiki's API, many in one request."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from revision_quality.events.page_change import PageChange, UserEntity
from revision_quality.wiki.client import ActionApi, Answer, reading
from revision_quality.wiki.contents import Content, Contents
from revision_quality.wiki.revision import Page, Parent, Revision, User
from revision_quality.wiki.siteinfo import read_siteinfo


class Unreadable(Struct, frozen=True):
    """A revision that the wiki does not give: `reason` is a code, `message` a sentence.

    Codes: revision_missing, revision_hidden, parent_revision_missing, parent_revision_hidden,
    not_wikitext.
    """

    reason: str
    message: str


class RevisionReader(Protocol):
    """Turns the edits of events into revisions, texts and all."""

    async def read(self, changes: Sequence[PageChange]) -> list[Revision | Unreadable]:
        """Return one answer for each edit, in their order. Raises WikiError for the whole."""
        ...

    async def check(self) -> None:
        """Raise WikiError if the wiki does not answer at all."""
        ...


class ApiReader:
    """Reads contents through a wiki's Action API, `batch` revisions in one request."""

    def __init__(self, api: ActionApi, batch: int, kept: Contents | None = None) -> None:
        self._api = api
        self._batch = batch
        self.kept = kept or Contents()

    async def read(self, changes: Sequence[PageChange]) -> list[Revision | Unreadable]:
        """Return one answer for each edit, in their order."""
        wanted = {rev_id for change in changes for rev_id in _rev_ids(change)}
        contents: dict[int, Content | Unreadable] = {
            rev_id: kept for rev_id in wanted if (kept := self.kept.get(rev_id))
        }
        missing = sorted(wanted - contents.keys())
        for start in range(0, len(missing), self._batch):
            contents |= await self._ask(missing[start : start + self._batch])
        return [revision_of(change, contents) for change in changes]

    async def check(self) -> None:
        """Raise WikiError if the wiki does not answer at all."""
        await read_siteinfo(self._api)

    async def _ask(self, rev_ids: list[int]) -> dict[int, Content | Unreadable]:
        found: dict[int, Content | Unreadable] = {}
        answers = self._api.query(
            prop="revisions",
            revids=rev_ids,
            rvprop=["ids", "timestamp", "user", "comment", "content", "contentmodel"],
            rvslots="main",
        )
        async for answer in answers:
            with reading(self._api.api_url, "revisions"):
                for revision in _revisions(answer):
                    found[revision["revid"]] = _content(revision)
        for rev_id, content in found.items():
            if isinstance(content, Content):
                self.kept.put(rev_id, content)
        return found


def _rev_ids(change: PageChange) -> Iterable[int]:
    yield change.revision.rev_id
    if change.revision.rev_parent_id:
        yield change.revision.rev_parent_id


def _revisions(answer: Answer) -> Iterable[Answer]:
    for page in answer.get("query", {}).get("pages", []):
        yield from page.get("revisions", [])


def _content(revision: Answer) -> Content | Unreadable:
    """Read a revision; its flags decide, since an account with rights gets what is hidden."""
    rev_id = revision["revid"]
    slot = revision.get("slots", {}).get("main", {})
    if revision.get("texthidden") or slot.get("texthidden"):
        return Unreadable("revision_hidden", f"The text of revision {rev_id} is hidden.")
    if "content" not in slot:
        return Unreadable("revision_missing", f"The wiki has no text of revision {rev_id}.")
    model = slot.get("contentmodel", "wikitext")
    if model != "wikitext":
        return Unreadable("not_wikitext", f"Revision {rev_id} is {model}, not wikitext.")
    return Content(
        text=slot["content"],
        rev_dt=msgspec.convert(revision["timestamp"], datetime),
        comment=None if revision.get("commenthidden") else revision.get("comment"),
        user_text=None if revision.get("userhidden") else revision.get("user"),
    )


def revision_of(
    change: PageChange, contents: dict[int, Content | Unreadable]
) -> Revision | Unreadable:
    """Return the revision of an event, its own content and its parent's being in `contents`."""
    rev_id, parent_id = change.revision.rev_id, change.revision.rev_parent_id
    content = contents.get(rev_id)
    if content is None:
        return Unreadable("revision_missing", f"The wiki has no revision {rev_id}.")
    if isinstance(content, Unreadable):
        return content
    parent = contents.get(parent_id) if parent_id else None
    if parent is None:
        return Unreadable(
            "parent_revision_missing", f"The wiki has no parent of revision {rev_id}."
        )
    if isinstance(parent, Unreadable):
        return _of_parent(parent)
    return assemble(change, content.text, parent)


def _of_parent(answer: Unreadable) -> Unreadable:
    if answer.reason == "not_wikitext":
        return answer
    return Unreadable(f"parent_{answer.reason}", answer.message)


def assemble(change: PageChange, text: str, parent: Content) -> Revision:
    """Make the revision that a model is given out of an event, the text and the parent."""
    revision = change.revision
    return Revision(
        wiki_id=change.wiki_id,
        rev_id=revision.rev_id,
        rev_dt=revision.rev_dt,
        page=Page(
            page_id=change.page.page_id,
            title=change.page.page_title,
            namespace_id=change.page.namespace_id or 0,
        ),
        parent=Parent(
            text=parent.text,
            rev_id=revision.rev_parent_id,
            rev_dt=parent.rev_dt,
            comment=parent.comment,
            user_text=parent.user_text,
        ),
        user=user_of(revision.editor or change.performer),
        text=text,
        comment=None if revision.is_comment_visible is False else revision.comment or "",
        is_minor=bool(revision.is_minor_edit),
    )


def user_of(entity: UserEntity | None) -> User:
    """Return the user of an event as a model is given it; all unknown where it is hidden."""
    if entity is None:
        return User()
    return User(
        user_text=entity.user_text,
        user_id=entity.user_id or (None if "user" in (entity.groups or ()) else 0),
        is_temp=bool(entity.is_temp),
        is_bot=bool(entity.is_bot),
        groups=entity.groups,
        edit_count=entity.edit_count,
        registration_dt=entity.registration_dt,
    )
