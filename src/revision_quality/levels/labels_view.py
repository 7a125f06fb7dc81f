"""The labels view: what became of every edit, and the counts by which levels are chosen.

It is made of the streams of edits, tags, hidings and verdicts and of the scores of all models, and
stands beside the changes view in one database, whose rows it tells what was reverted. Edits are
counted from the first on: those whose waiting time is not over are told apart by their day, when
the counts are read.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, func, select

from revision_quality.bell import Bell
from revision_quality.events import streams as names
from revision_quality.levels.labelling import WAIT_SECONDS
from revision_quality.levels.labels_batch import LabelsBatch
from revision_quality.levels.told import Told
from revision_quality.streams.base import Record
from revision_quality.views.bulk import delete_keys
from revision_quality.views.database import Database
from revision_quality.views.progress import place_in, position_of, set_positions, take_turn
from revision_quality.views.readable import take_each
from revision_quality.views.tables import edit_labels, edit_scores

STREAMS = (names.PAGE_CHANGE, names.TAGS_CHANGE, names.VISIBILITY_CHANGE, names.VERDICT)
"""What the view is made of, beside the streams of scores."""

VIEW = "labels"

_HORIZON = "labels horizon"
"""The number of `progress` that says, in Unix seconds, since when edits are kept singly."""


class LabelsView:
    """Keeps labels and counts in step with the streams.

    `wait` is the waiting time of a label in seconds. `bell` rings when rows of the changes view
    have changed. Raises StoreError where the database fails.
    """

    def __init__(self, database: Database, bell: Bell, *, wait: int = WAIT_SECONDS) -> None:
        self._database = database
        self._bell = bell
        self._wait = wait

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` is in the view."""
        name = place_in(VIEW, stream, partition)
        return await self._database.read(lambda connection: position_of(connection, name))

    async def apply(self, records: Sequence[Record]) -> int:
        """Bring events into the view, with their positions. Returns the edits changed."""
        if not records:
            return 0
        changed, marked = await self._database.write(
            lambda connection: _apply(connection, records, self._wait)
        )
        if marked:
            self._bell.ring()
        return changed

    async def purge(self, before: int, limit: int = 1000) -> int:
        """Forget up to `limit` edits older than `before`, Unix seconds; they stay counted.

        Events of forgotten edits change nothing any more. Returns how many were forgotten.
        """
        return await self._database.write(lambda connection: _purge(connection, before, limit))


def _apply(connection: Connection, records: Sequence[Record], wait: int) -> tuple[int, int]:
    take_turn(connection)
    told = Told(position_of(connection, _HORIZON))
    take_each(records, told.add, "the labels view")
    changed = LabelsBatch(connection, told, wait).write()
    last = {(each.stream, each.partition): each.offset for each in records}
    set_positions(connection, {place_in(VIEW, *place): offset for place, offset in last.items()})
    return changed


def _purge(connection: Connection, before: int, limit: int) -> int:
    take_turn(connection)
    columns = edit_labels.c
    newest = connection.execute(select(func.max(columns.timestamp))).scalar()
    if newest is None:
        return 0
    # Not behind the newest edit: a clock that is ahead once would keep all later ones out.
    set_positions(connection, {_HORIZON: min(before, newest + 1)})
    oldest = (
        select(columns.wiki_id, columns.rev_id)
        .where(columns.timestamp < before)
        .order_by(columns.timestamp)
        .limit(limit)
    )
    keys = [(wiki_id, rev_id) for wiki_id, rev_id in connection.execute(oldest)]
    delete_keys(connection, edit_labels, keys)
    delete_keys(connection, edit_scores, keys)
    return len(keys)
