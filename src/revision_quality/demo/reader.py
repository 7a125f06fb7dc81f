"""Reads the sample's edits as a wiki's API would give them."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from revision_quality.demo import SampleEdit
from revision_quality.events.page_change import PageChange
from revision_quality.wiki.contents import Content
from revision_quality.wiki.reader import Unreadable, assemble
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.text_diff import diff_rows


class SampleReader:
    """Holds the texts of the sample."""

    def __init__(self, edits: Iterable[SampleEdit]) -> None:
        self.changes: list[PageChange] = []
        self._texts: dict[tuple[str, int], tuple[str, str]] = {}
        for edit in edits:
            change = msgspec.convert(edit.event, PageChange)
            self.changes.append(change)
            self._texts[_key(change)] = (edit.text, edit.parent_text)

    @property
    def wiki_ids(self) -> list[str]:
        """The wikis that the sample is of."""
        return sorted({change.wiki_id for change in self.changes})

    def edits(self, wiki_id: str) -> "SampleEdits":
        """Return what finds the edits of one wiki by their ids."""
        return SampleEdits(change for change in self.changes if change.wiki_id == wiki_id)

    def diffs(self, wiki_id: str) -> "SampleDiffs":
        """Return what compares the texts of one wiki."""
        return SampleDiffs(wiki_id, self._texts)

    async def read(self, changes: Sequence[PageChange]) -> list[Revision | Unreadable]:
        """Return one answer for each edit, in their order."""
        return [self._revision(change) for change in changes]

    async def check(self) -> None:
        """The sample always answers."""

    def _revision(self, change: PageChange) -> Revision | Unreadable:
        texts = self._texts.get(_key(change))
        if texts is None:
            rev_id = change.revision.rev_id
            return Unreadable("revision_missing", f"The sample has no revision {rev_id}.")
        text, parent_text = texts
        prior = change.prior_state.revision if change.prior_state else None
        parent = Content(
            text=parent_text,
            rev_dt=prior.rev_dt if prior else None,
            comment=prior.comment if prior else None,
            user_text=prior.editor.user_text if prior and prior.editor else None,
        )
        return assemble(change, text, parent)


class SampleEdits:
    """The sample's edits of one wiki."""

    def __init__(self, changes: Iterable[PageChange]) -> None:
        self._changes = {change.revision.rev_id: change for change in changes}

    async def read(self, rev_ids: Sequence[int]) -> dict[int, PageChange]:
        """Return the edits that the sample has."""
        return {rev_id: self._changes[rev_id] for rev_id in rev_ids if rev_id in self._changes}


class SampleDiffs:
    """Compares the sample's texts of one wiki."""

    def __init__(self, wiki_id: str, texts: Mapping[tuple[str, int], tuple[str, str]]) -> None:
        self._wiki_id = wiki_id
        self._texts = texts

    async def read(self, rev_id: int, parent_id: int | None) -> str | None:
        """Return the rows of the diff, None of what the sample has not."""
        texts = self._texts.get((self._wiki_id, rev_id))
        if texts is None:
            return None
        text, parent_text = texts
        return await asyncio.to_thread(diff_rows, parent_text, text)


def _key(change: PageChange) -> tuple[str, int]:
    return change.wiki_id, change.revision.rev_id
