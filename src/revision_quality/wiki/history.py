"""One revision of a page's history, wherever the history comes from."""

import re
from datetime import datetime

from msgspec import Struct

WIKITEXT = "wikitext"

_TEMPORARY_NAME = re.compile(r"~2\d{3}-")


class HistoryPage(Struct, frozen=True, kw_only=True):
    """A page: `title` with its namespace prefix; `page_id` is None where the source has none."""

    wiki_id: str
    title: str
    namespace_id: int
    page_id: int | None = None


class HistoryRevision(Struct, frozen=True, kw_only=True):
    """A revision: `checksum` identifies its text, None where hidden or lost; `size` is its bytes.

    `text` may be None although there is one, where it is too long to use or not fetched yet;
    `is_text_hidden` tells the hidden from the lost. `is_anonymous` holds for addresses and
    temporary accounts. `user_id` is 0 for an address and for a name without an account here.
    `parent_id`, `rev_id` and `user_id` are None where the source does not tell, `user_text` and
    `comment` where they are hidden.
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
    content_model: str = WIKITEXT
    text: str | None = None
    user_id: int | None = None
    is_minor: bool = False
    is_text_hidden: bool = False

    @property
    def is_wikitext(self) -> bool:
        """Whether the text is wikitext."""
        return self.content_model == WIKITEXT


def is_temporary_name(user_text: str) -> bool:
    """Whether a name is that of a temporary account, as MediaWiki forms them (`~2026-1234-5`)."""
    return bool(_TEMPORARY_NAME.match(user_text))
