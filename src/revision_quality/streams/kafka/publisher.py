"""Appending without a group: what sources bring, what is scored on request."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from threading import Thread

from confluent_kafka import KafkaError, Message, Producer

from revision_quality.errors import StoreError
from revision_quality.streams.base import Outgoing
from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES, KafkaPlace

ID_HEADER = "id"
"""The header that holds an event's id: consumers know it without reading the event."""

REMEMBERED = 100_000
"""Ids of appended events, so that what a source brings again and again is appended once."""

PRODUCER = {
    "enable.idempotence": True,
    "acks": "all",
    "partitioner": "murmur2_random",  # as Kafka's own clients do
    "compression.type": "lz4",
    "linger.ms": 5,
    "message.max.bytes": MAX_MESSAGE_BYTES,
}
_GIVE_UP_MS = 60_000
_POLL_SECONDS = 0.1
_FULL_SECONDS = 0.02


class _Batch:
    """Counts what is not delivered yet; lives in the event loop, told by the producer's thread."""

    def __init__(self, number: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._left = number
        self._error: KafkaError | None = None
        self.done: asyncio.Future[KafkaError | None] = self._loop.create_future()

    def deliver(self, error: KafkaError | None) -> None:
        self._error = self._error or error
        self._left -= 1
        if self._left == 0:
            self._loop.call_soon_threadsafe(self._end)

    def _end(self) -> None:
        if not self.done.done():
            self.done.set_result(self._error)


class Publisher:
    """An idempotent producer; `ends` is told (topic, partition, offset behind it) of each event."""

    def __init__(self, place: KafkaPlace, ends: dict[tuple[str, int], int]) -> None:
        self._place = place
        self._ends = ends
        self._recent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._producer = self._make()
        self._is_closed = False
        self._thread = Thread(target=self._poll, name="kafka-publisher", daemon=True)
        self._thread.start()

    async def append(self, events: Sequence[Outgoing]) -> list[Outgoing]:
        """Append what is not remembered; return it when every replica has it.

        Raises StoreError if it is not certain that all of it was appended.
        """
        new = {(event.stream, event.id): event for event in events}
        new = {key: event for key, event in new.items() if key not in self._recent}
        if not new:
            return []
        batch = _Batch(len(new))
        for event in new.values():
            await self._produce(event, batch)
        error = await batch.done
        if error is not None:
            self._renew_after(error)
            raise StoreError(f"Kafka at {self._place.servers} takes no events: {error.str()}")
        self._remember(new)
        return list(new.values())

    async def close(self) -> None:
        """End the producer; what was appended is delivered, what was not is given up."""
        self._is_closed = True
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._producer.flush, 1.0)

    def _make(self) -> Producer:
        own = {**PRODUCER, "message.timeout.ms": _GIVE_UP_MS}
        return Producer(self._place.client(own))

    def _poll(self) -> None:
        while not self._is_closed:
            self._producer.poll(_POLL_SECONDS)

    async def _produce(self, event: Outgoing, batch: _Batch) -> None:
        def told(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._note_end(message)
            batch.deliver(error)

        while True:
            try:
                self._producer.produce(
                    self._place.topic(event.stream),
                    value=event.value,
                    key=event.key or None,
                    headers=[(ID_HEADER, event.id.encode())],
                    on_delivery=told,
                )
            except BufferError:
                await asyncio.sleep(_FULL_SECONDS)
            else:
                return

    def _note_end(self, message: Message) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        if topic is not None and partition is not None and offset is not None:
            key = (topic, partition)
            self._ends[key] = max(self._ends.get(key, 0), offset + 1)

    def _renew_after(self, error: KafkaError) -> None:
        if error.fatal():
            self._producer = self._make()

    def _remember(self, new: dict[tuple[str, str], Outgoing]) -> None:
        self._recent.update(dict.fromkeys(new))
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
