"""Events on their way into tables: their key, and their text as every server can keep it."""

import re

from revision_quality.errors import InvalidEventError
from revision_quality.views.tables import MAX_WIKI_ID

Key = tuple[str, int]

_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")


def key_of(wiki_id: str, rev_id: int) -> Key:
    """Return the key of an edit's row. Raises InvalidEventError for a wiki_id without a place."""
    if not 0 < len(wiki_id) <= MAX_WIKI_ID:
        raise InvalidEventError(
            f"the wiki_id {wiki_id[:MAX_WIKI_ID]!r} has {len(wiki_id)} characters,"
            f" expected 1 to {MAX_WIKI_ID}"
        )
    return wiki_id, rev_id


def without_nul(value: bytes) -> bytes:
    """Return the JSON with U+FFFD for U+0000, as MediaWiki does: PostgreSQL cannot keep it."""
    # Most have no backslash at all, and one byte is found far faster than six.
    is_there = b"\\" in value and rb"\u0000" in value
    return _NUL.sub(rb"\1\\ufffd", value) if is_there else value
