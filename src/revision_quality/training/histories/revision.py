"""One revision of a page's history, wherever the history comes from."""

import re
from datetime import datetime

from msgspec import Struct

_TEMPORARY_NAME = re.compile(r"~2\d{3}-")


class HistoryPage(Struct, frozen=True, kw_only=True):
    """A page: `title` with its namespace prefix."""

    wiki_id: str
    title: str
    namespace_id: int


class HistoryRevision(Struct, frozen=True, kw_only=True):
    """A revision: `checksum` identifies its text, None where hidden or lost; `size` is its bytes.

    `text` may be None although there is one, where it is too long to use or not fetched yet.
    `is_anonymous` holds for addresses and temporary accounts. `parent_id` and `rev_id` are None
    where the source does not tell, `user_text` and `comment` where they are hidden.
    """

    page: HistoryPage
    rev_id: int | None
    parent_id: int | None
    timestamp: datetime
    user_text: str | None
    is_anonymous: bool
    comment: str | None
    checksum: str | None
    size: int
    is_wikitext: bool = True
    text: str | None = None


def is_temporary_name(user_text: str) -> bool:
    """Whether a name is that of a temporary account, as MediaWiki forms them (`~2026-1234-5`)."""
    return bool(_TEMPORARY_NAME.match(user_text))
