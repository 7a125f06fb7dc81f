"""Appending without a group: what sources bring, what is scored on request."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from threading import Thread

from confluent_kafka import KafkaError, KafkaException, Message, Producer

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

    def __init__(
        self,
        place: KafkaPlace,
        ends: dict[tuple[str, int], int],
        make: Callable[[], Producer] | None = None,
    ) -> None:
        self._place = place
        self._ends = ends
        self._recent: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._make = make or self._connect
        self._producer = self._make()
        self._given_up: list[Producer] = []
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
        producer = self._producer
        error = await self._deliver(producer, list(new.values()))
        if error is not None:
            self._renew_after(error, producer)
            raise StoreError(f"Kafka at {self._place.servers} takes no events: {error.str()}")
        self._remember(new)
        return list(new.values())

    async def close(self) -> None:
        """End the producer; what was appended is delivered, what was not is given up."""
        self._is_closed = True
        await asyncio.to_thread(self._thread.join)
        await asyncio.to_thread(self._producer.flush, 1.0)

    def _connect(self) -> Producer:
        own = {**PRODUCER, "message.timeout.ms": _GIVE_UP_MS}
        return Producer(self._place.client(own))

    def _poll(self) -> None:
        while not self._is_closed:
            for producer in self._given_up.copy():
                producer.poll(0)
                if not len(producer):
                    self._given_up.remove(producer)
            self._producer.poll(_POLL_SECONDS)

    async def _deliver(self, producer: Producer, events: Sequence[Outgoing]) -> KafkaError | None:
        """Return when every replica has the events, or else what is wrong."""
        batch = _Batch(len(events))
        try:
            for event in events:
                await self._produce(producer, event, batch)
        except KafkaException as refused:
            error: KafkaError = refused.args[0]
            return error
        return await batch.done

    async def _produce(self, producer: Producer, event: Outgoing, batch: _Batch) -> None:
        def told(error: KafkaError | None, message: Message) -> None:
            if error is None:
                self._note_end(message)
            batch.deliver(error)

        while True:
            try:
                producer.produce(
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

    def _renew_after(self, error: KafkaError, producer: Producer) -> None:
        is_over = error.fatal() or error.code() == KafkaError._FATAL
        if is_over and producer is self._producer:
            self._producer = self._make()
            # Others may have events in it, and wait to be told.
            self._given_up.append(producer)
            producer.purge()

    def _remember(self, new: dict[tuple[str, str], Outgoing]) -> None:
        self._recent.update(dict.fromkeys(new))
        while len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)
