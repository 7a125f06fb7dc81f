"""Where a page of changes ends and the next one begins."""

import re
from typing import Self

from msgspec import Struct

from revision_quality.sites import WIKI_ID
from revision_quality.views.change import Change

_FORM = re.compile(rf"([0-9]{{1,15}})-([0-9]{{1,19}})(?:-({WIKI_ID}))?")

_LARGEST = 2**63 - 1


class Cursor(Struct, frozen=True, order=True):
    """A position in the order of the page: by time, then revision, then wiki.

    As text it is `<timestamp>-<rev_id>-<wiki_id>`, the timestamp in Unix seconds, such as
    `1215008073-4526-nywiki`. Rows before it are older; the row at it is not among them.
    """

    timestamp: int
    rev_id: int
    wiki_id: str = ""

    @classmethod
    def of(cls, change: Change) -> Self:
        """Return the position of a change."""
        return cls(change.timestamp, change.rev_id, change.wiki_id)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a cursor's text form; the wiki_id may be missing. Raises ValueError."""
        match = _FORM.fullmatch(text)
        if match is None or int(match[2]) > _LARGEST:
            raise ValueError(f"{text!r} is not of the form <timestamp>-<rev_id>-<wiki_id>")
        timestamp, rev_id, wiki_id = match.groups()
        return cls(int(timestamp), int(rev_id), wiki_id or "")

    def earlier(self, seconds: int) -> Self:
        """Return the position so many seconds before."""
        return type(self)(self.timestamp - seconds, self.rev_id, self.wiki_id)

    def __str__(self) -> str:
        return f"{self.timestamp}-{self.rev_id}" + (f"-{self.wiki_id}" if self.wiki_id else "")
