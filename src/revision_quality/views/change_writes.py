"""Which edits were written last, in their order, for those who follow the writes.

A write numbers the rows that it writes (`changes.seq`) and notes which edits these are, many in one
entry. An index of the numbers would tell the same, but each row would pay for it.
"""

from collections.abc import Sequence
from operator import itemgetter

import msgspec
from sqlalchemy import Connection, delete, insert, select

from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import change_writes, changes

KEPT = 5000
"""So many writes of rows are kept, and up to as many again."""

_IN_AN_ENTRY = 500

_edits = msgspec.json.Decoder(list[Key])


def note(connection: Connection, edits: Sequence[Key], last: int) -> None:
    """Note the edits of a write, in their order; the last of them has the number `last`."""
    before = last - len(edits)
    entries = [
        {
            "seq": before + end,
            "edits": msgspec.json.encode(edits[max(0, end - _IN_AN_ENTRY) : end]).decode(),
        }
        for end in range(len(edits), max(0, len(edits) - KEPT), -_IN_AN_ENTRY)
    ]
    if entries:
        connection.execute(insert(change_writes), entries)
    # At each write it would cost a small one as much as the entry does.
    if before // KEPT < last // KEPT:
        connection.execute(delete(change_writes).where(change_writes.c.seq <= last - KEPT))


def written_since(
    connection: Connection, seq: int, limit: int, columns: tuple[str, ...]
) -> list[bulk.Values]:
    """Return up to `limit` rows that were last written after `seq`, in the order of writing."""
    place = columns.index("seq")
    keys, last = _edits_since(connection, seq, limit)
    while keys:
        # One that was written again comes where it was written last.
        rows = [
            row
            for row in bulk.read(connection, changes, keys, columns=columns)
            if seq < row[place] <= last
        ]
        if rows:
            return sorted(rows, key=itemgetter(place))[:limit]
        keys, last = _edits_since(connection, last, limit)
    return []


def _edits_since(connection: Connection, seq: int, least: int) -> tuple[set[Key], int]:
    """Return the edits of the next entries, `least` if there are as many, and the last number."""
    entry = change_writes.c
    entries = select(change_writes).where(entry.seq > seq).order_by(entry.seq).limit(least)
    keys: set[Key] = set()
    last = seq
    for last, edits in connection.execute(entries).all():  # noqa: B007 (the last one is returned)
        keys.update(_edits.decode(edits))
        if len(keys) >= least:
            break
    return keys, last
