"""The topics: their partitions, and making those that are missing."""

import asyncio
from time import monotonic, sleep

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from revision_quality.errors import StoreError
from revision_quality.events.streams import KEPT
from revision_quality.streams.kafka.place import MAX_MESSAGE_BYTES, KafkaPlace

ANSWER_SECONDS = 10.0
_DAY_MS = 86_400_000
_PAUSE = 0.05


class Topics:
    """Knows how many partitions each stream has; a stream that is asked for is there."""

    def __init__(self, place: KafkaPlace, admin: AdminClient | None = None) -> None:
        self._place = place
        self._admin = admin or AdminClient(place.client({}))
        self._counts: dict[str, int] = {}
        self._asking = asyncio.Lock()

    async def partitions(self, stream: str) -> int:
        """Return how many partitions a stream has; make its topic if it has none.

        Raises StoreError if the cluster does not answer or does not let us make it.
        """
        async with self._asking:
            if stream not in self._counts:
                self._counts[stream] = await asyncio.to_thread(self._ensure, stream)
            return self._counts[stream]

    def _ensure(self, stream: str) -> int:
        topic = self._place.topic(stream)
        try:
            return self._count(topic) or self._made(topic)
        except KafkaException as error:
            raise StoreError(
                f"Kafka at {self._place.servers}, topic {topic}: {error.args[0].str()}"
            ) from error

    def _made(self, topic: str) -> int:
        """Make a topic; return how many partitions it has, as somebody else may have made it."""
        self._make(topic)
        deadline = monotonic() + ANSWER_SECONDS
        while not (count := self._count(topic)):
            if monotonic() > deadline:
                raise StoreError(f"Kafka at {self._place.servers} does not tell of topic {topic}")
            sleep(_PAUSE)
        return count

    def _count(self, topic: str) -> int:
        topics = self._admin.list_topics(timeout=ANSWER_SECONDS).topics
        return len(topics[topic].partitions) if topic in topics else 0

    def _kept(self, topic: str) -> dict[str, str]:
        if topic in map(self._place.topic, KEPT):
            return {"cleanup.policy": "compact", "retention.ms": "-1"}
        return {"retention.ms": str(self._place.keep_days * _DAY_MS)}

    def _make(self, topic: str) -> None:
        new = NewTopic(
            topic,
            num_partitions=self._place.partitions,
            replication_factor=self._place.replication,
            config={
                **self._kept(topic),
                "max.message.bytes": str(MAX_MESSAGE_BYTES),
                # Offsets then grow with time, which looking for a time relies on.
                "message.timestamp.type": "LogAppendTime",
            },
        )
        made = self._admin.create_topics([new], operation_timeout=ANSWER_SECONDS)[topic]
        try:
            made.result(ANSWER_SECONDS)
        except KafkaException as error:
            if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                raise
