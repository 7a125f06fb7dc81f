"""EventBus and polling together: an edit is in the stream once, and none is missing."""

import json
from pathlib import Path

import msgspec
import pytest

from revision_quality.events import streams as names
from revision_quality.events.stream_config import stream_configs
from revision_quality.sources.base import Emit, SourceEvent
from revision_quality.sources.collector import Collector
from revision_quality.sources.event_bus import EventBusSource
from revision_quality.streams.base import START
from revision_quality.streams.sqlite import SqliteStreams
from revision_quality.web.event_gate import EventGate
from tests.events.examples import page_change, raw_change, tags_change


class Polled:
    """A source that has found some events."""

    def __init__(self, *events: SourceEvent) -> None:
        self._events = events

    async def run(self, emit: Emit) -> None:
        await emit(self._events)


def polled(kind: str, rev_id: int) -> SourceEvent:
    """The same as EventBus sends, under the identifier that polling gives it."""
    meta = {"stream": names.PAGE_CHANGE, "id": f"11111111-0000-4000-8000-{rev_id:012}"}
    return page_change(kind, rev_id, meta=meta)


@pytest.mark.parametrize("is_first", [True, False], ids=["EventBus first", "polling first"])
async def test_an_edit_that_both_bring_is_there_once(tmp_path: Path, is_first: bool):
    kinds = {"edit": 10, "create": 11, "move": 12}
    posted = [raw_change(kind, rev_id) for kind, rev_id in kinds.items()]
    source = EventBusSource(Polled(*(polled(kind, rev_id) for kind, rev_id in kinds.items())))
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        gate, collector = EventGate(streams, stream_configs()), Collector(streams)
        if not is_first:
            await source.run(collector.emit)
        await gate.receive(msgspec.json.encode(posted))
        await source.run(collector.emit)

        records = await streams.read(names.PAGE_CHANGE, START, 10)
        events = [json.loads(record.value) for record in records]

    assert [event["revision"]["rev_id"] for event in events] == [10, 11, 12]
    assert [event in posted for event in events] == [is_first] * 3


async def test_what_eventbus_lost_is_brought_by_polling(tmp_path: Path):
    found = [polled("edit", 10), polled("edit", 11), tags_change(11, ["mw-undo"])]
    found[-1] = msgspec.structs.replace(
        found[-1], meta=msgspec.structs.replace(found[-1].meta, id="tags")
    )
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        await EventGate(streams, stream_configs()).receive(msgspec.json.encode(raw_change()))
        collector = Collector(streams)
        await EventBusSource(Polled(*found)).run(collector.emit)

    assert collector.collected == {names.PAGE_CHANGE: 1, names.TAGS_CHANGE: 1}


async def test_a_deletion_that_both_bring_may_be_there_twice(tmp_path: Path):
    """It says what holds afterwards: a view that reads it again stays as it is."""
    async with SqliteStreams(tmp_path / "streams.sqlite") as streams:
        await EventGate(streams, stream_configs()).receive(
            msgspec.json.encode(raw_change("delete"))
        )
        await EventBusSource(Polled(polled("delete", 10))).run(Collector(streams).emit)

        assert len(await streams.read(names.PAGE_CHANGE, START, 10)) == 2
