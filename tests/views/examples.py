"""Events as records of their streams, and views to bring them into."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, delete, select

from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import PredictionError
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.events.verdict import VerdictEvent
from revision_quality.streams.base import Record
from revision_quality.views.change import Change
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.tables import (
    change_tags,
    change_writes,
    changes,
    page_deletions,
    progress,
    verdicts,
)

Event = (
    PageChange | PredictionChange | PredictionError | TagsChange | VisibilityChange | VerdictEvent
)

_STREAMS: dict[type, str] = {
    PageChange: names.PAGE_CHANGE,
    PredictionChange: names.PREDICTION,
    PredictionError: names.PREDICTION_ERROR,
    TagsChange: names.TAGS_CHANGE,
    VisibilityChange: names.VISIBILITY_CHANGE,
    VerdictEvent: names.VERDICT,
}


def records(events: Iterable[Event], first: int = 1) -> list[Record]:
    return [
        Record(_STREAMS[type(event)], offset, 0, msgspec.json.encode(event))
        for offset, event in enumerate(events, start=first)
    ]


@asynccontextmanager
async def open_view(url: str) -> AsyncIterator[ChangesView]:
    view = ChangesView(Database(url))
    try:
        yield view
    finally:
        await view.close()


async def stored(view: ChangesView) -> list[dict[str, Any]]:
    """Return the whole stored rows, but for the order in which they were written."""
    statement = select(changes).order_by(changes.c.wiki_id, changes.c.rev_id)

    def read(connection: Connection) -> list[dict[str, Any]]:
        return [dict(row) for row in connection.execute(statement).mappings()]

    return [row | {"seq": 0} for row in await view._database.read(read)]


async def rows_after(view: ChangesView, batches: Iterable[Sequence[Event]]) -> list[dict[str, Any]]:
    """Return the stored rows after these batches of events, and nothing before them."""
    await view._database.write(_empty)
    offset = 1
    for batch in batches:
        await view.apply(records(batch, offset))
        offset += len(batch)
    return await stored(view)


def _empty(connection: Connection) -> None:
    for table in (changes, change_tags, change_writes, page_deletions, verdicts):
        connection.execute(delete(table))
    connection.execute(delete(progress).where(progress.c.name != "schema"))


async def changes_after(view: ChangesView, *events: Event) -> list[Change]:
    """Return the changes after these events, one at a time, and nothing before them."""
    await rows_after(view, [[event] for event in events])
    statement = select(changes).order_by(changes.c.wiki_id, changes.c.rev_id)
    return [replace(change, seq=0) for change in await view.rows(statement)]


async def change_after(view: ChangesView, *events: Event) -> Change:
    (change,) = await changes_after(view, *events)
    return change
