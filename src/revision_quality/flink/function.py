"""The job's one step in Python: Flink calls it for each event, many at once."""

import asyncio
from typing import Any

from msgspec import Struct
from pyflink.common import Row, Types
from pyflink.datastream import AsyncFunction

from revision_quality.cli.rules import open_rules
from revision_quality.cli.wikis import Wikis, http_client
from revision_quality.flink.edits import Edits
from revision_quality.settings import Settings
from revision_quality.streams.base import Outgoing, Record
from revision_quality.streams.kafka.publisher import ID_HEADER
from revision_quality.wiki.reader import ApiReader, RevisionReader

_BYTES = Types.PRIMITIVE_ARRAY(Types.BYTE())

OUTCOME_ROW = Types.ROW_NAMED(
    ["topic", "headers", "key", "value"],
    [Types.STRING(), Types.MAP(Types.STRING(), _BYTES), _BYTES, _BYTES],
)


class _Open(Struct, frozen=True):
    edits: Edits
    wikis: Wikis


class ScoreEdits(AsyncFunction):  # type: ignore[misc]
    """Rows of the source in, rows of the sink out; `prefix` stands before each topic's name.

    It is sent to the workers pickled and opens wikis and models there, in the loop that it is
    called in: Flink calls `open` in another thread, before that loop runs.
    """

    def __init__(self, settings: Settings, prefix: str, patience: float) -> None:
        self._settings = settings
        self._prefix = prefix
        self._patience = patience
        self._opening: asyncio.Task[_Open] | None = None

    async def async_invoke(self, value: Any) -> list[Any]:
        """Return the rows to publish for one event."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open())
        opened = await asyncio.shield(self._opening)
        published = await opened.edits.published(self._record(value))
        return [self._row(event) for event in published]

    async def _open(self) -> _Open:
        client = http_client()
        wikis = Wikis(self._settings.wikis, client, self._settings.data)
        await wikis.connect()
        wikis.persevere()
        rules = open_rules(self._settings.blocks, client)
        readers: dict[str, RevisionReader] = {}

        def reader_of(wiki_id: str) -> RevisionReader | None:
            wiki = wikis.connected.get(wiki_id)
            if wiki is not None and wiki_id not in readers:
                readers[wiki_id] = ApiReader(wiki.api, wiki.info.batch)
            return readers.get(wiki_id)

        edits = Edits(rules, reader_of, is_expected=wikis.is_expected, patience=self._patience)
        return _Open(edits, wikis)

    def _record(self, row: Any) -> Record:
        return Record(
            stream=row["topic"].removeprefix(self._prefix),
            # Offsets of this package begin at 1, Kafka's at 0.
            offset=row["offset"] + 1,
            received=0,
            value=bytes(row["value"] or b""),
            partition=row["partition"],
        )

    def _row(self, event: Outgoing) -> Any:
        return Row(
            topic=self._prefix + event.stream,
            headers={ID_HEADER: event.id.encode()},
            key=event.key.encode() or None,
            value=event.value,
        )
