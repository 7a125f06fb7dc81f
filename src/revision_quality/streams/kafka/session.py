"""A group's consumer and its transactional producer, for one thread.

Outcomes and positions are committed in one transaction, which the group's coordinator refuses to
who is no longer a member (KIP-447): a worker that was taken for dead and wakes up changes nothing.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from socket import gethostname
from uuid import uuid4

import structlog
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from revision_quality.clock import Clock
from revision_quality.errors import StoreError
from revision_quality.streams.base import START, Claim, Outgoing, Partition, Work
from revision_quality.streams.kafka.deadline import within
from revision_quality.streams.kafka.outcomes import Outcomes
from revision_quality.streams.kafka.place import GROUP_PREFIX, KafkaPlace
from revision_quality.streams.kafka.publisher import ID_HEADER, PRODUCER

SESSION_MS = 10_000
"""A member that is silent for so long is taken for dead."""

TRANSACTION_MS = 10_000
"""What a dead member left open is aborted after so long; until then nobody reads behind it."""

_TIMES = {"session.timeout.ms": SESSION_MS, "heartbeat.interval.ms": SESSION_MS // 4}
_TRANSACTION = {
    "transaction.timeout.ms": TRANSACTION_MS,
    # A transaction begins when the last one's marks are written, a few ms after its end.
    "retry.backoff.ms": 10,
}

ANSWER_SECONDS = 15.0
SEND_SECONDS = TRANSACTION_MS / 1000
"""A transaction that is older is aborted by its coordinator."""

_COMMITTED_SECONDS = 1.0
_COMMIT_ATTEMPTS = 4
_PAUSE = 0.02

_log = structlog.get_logger()


class Session:
    """Holds partitions of `streams`; which ones changes in `poll` only.

    A partition that is held is `assigned`; it becomes a claim once what came of it is known.
    """

    def __init__(
        self,
        place: KafkaPlace,
        group: str,
        streams: Sequence[str],
        counts: Mapping[str, int],
        clock: Clock,
    ) -> None:
        self._place = place
        self._clock = clock
        self._group = GROUP_PREFIX + group
        self._streams = {place.topic(stream): stream for stream in streams}
        self._id = f"{self._group}.{gethostname()}.{uuid4().hex[:12]}"
        self._producer: Producer | None = None
        self._is_unsure = False
        self._terms = 0
        self.outcomes = Outcomes(place, counts)
        self.assigned: dict[Partition, int] = {}
        """By partition the term of this assignment."""
        self.claims: dict[Partition, Claim] = {}
        self._consumer = Consumer(place.client(self._settings(), _TIMES))
        self._consumer.subscribe(
            list(self._streams),
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_revoke,
        )

    def poll(self) -> None:
        """Take part in the group; read on in the outcomes. Raises StoreError."""
        try:
            message = self._consumer.poll(0)
        except KafkaException as error:
            raise self._trouble(error) from error
        problem = message.error() if message is not None else None
        if problem is not None and not problem.retriable():
            raise self._trouble(KafkaException(problem))
        self.outcomes.read_on()

    def position(self, partition: Partition) -> int:
        """Return what the group committed, once no open transaction can change it.

        Raises StoreError if that cannot be told now.
        """
        asked = TopicPartition(self._place.topic(partition.stream), partition.number)
        try:
            [found] = self._consumer.committed([asked], _COMMITTED_SECONDS)
        except KafkaException as error:
            raise self._trouble(error) from error
        if found.error is not None:
            raise self._trouble(KafkaException(found.error))
        return max(found.offset, START)

    def claim(self, partition: Partition, term: int, position: int) -> bool:
        """Make an assigned partition a claim; False if it is lost meanwhile."""
        if self.assigned.get(partition) != term:
            return False
        self.claims[partition] = Claim(partition, position, term)
        return True

    def transact(self, work: Sequence[Work]) -> list[bool]:
        """Publish all work of partitions still held in one transaction; tell which that was.

        Raises StoreError if nothing was published, or if that is not certain.
        """
        is_held = [self.claims.get(one.claim.partition) == one.claim for one in work]
        held = [one for one, is_one in zip(work, is_held, strict=True) if is_one]
        if held:
            try:
                self._transact(held)
            except KafkaException as error:
                self._end_transaction(error)
                raise self._trouble(error) from error
        return is_held

    def close(self) -> None:
        """Leave the group."""
        self._consumer.close()
        self.outcomes.close()

    def _settings(self) -> dict[str, object]:
        return {
            "group.id": self._group,
            "partition.assignment.strategy": "cooperative-sticky",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            # Positions of an open transaction are then waited for (KIP-447).
            "isolation.level": "read_committed",
        }

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign(partitions)
        # Events are read by the log's reader; this consumer only holds the partitions.
        consumer.pause(partitions)
        for one in partitions:
            self._terms += 1
            self.assigned[self._partition(one)] = self._terms

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        for one in partitions:
            partition = self._partition(one)
            self.assigned.pop(partition, None)
            self.claims.pop(partition, None)
            self.outcomes.leave(partition)
        consumer.incremental_unassign(partitions)

    def _partition(self, one: TopicPartition) -> Partition:
        return Partition(self._streams[one.topic], one.partition)

    def _transact(self, held: Sequence[Work]) -> None:
        producer = self._ready()
        if self._is_unsure:
            self._learn()
        new = self._without_known(held)
        producer.begin_transaction()
        for partition, event in new:
            self._produce(producer, partition, event)
        positions = {one.claim.partition: one.position for one in held}
        self._send(producer, positions)
        _trying(lambda: producer.commit_transaction(ANSWER_SECONDS))
        now = int(self._clock.now().timestamp() * 1000)
        for partition, event in new:
            self.outcomes.add(event.stream, partition, event.id, now)

    def _send(self, producer: Producer, positions: Mapping[Partition, int]) -> None:
        offsets = [
            TopicPartition(self._place.topic(partition.stream), partition.number, position)
            for partition, position in positions.items()
        ]
        metadata = self._consumer.consumer_group_metadata()
        # After a coordinator's restart librdkafka may wait for ever, whatever time it was given
        # (its issues 5456 and 5511). The next producer's start fences what is left behind.
        within(
            SEND_SECONDS,
            lambda: producer.send_offsets_to_transaction(offsets, metadata, SEND_SECONDS),
            "sending positions",
        )

    def _ready(self) -> Producer:
        if self._producer is None:
            own = {**PRODUCER, "linger.ms": 0, "transactional.id": self._id}
            producer = Producer(self._place.client(own, _TRANSACTION))
            _trying(lambda: producer.init_transactions(ANSWER_SECONDS))
            self._producer = producer
        return self._producer

    def _produce(self, producer: Producer, partition: Partition, event: Outgoing) -> None:
        while True:
            try:
                producer.produce(
                    self._place.topic(event.stream),
                    value=event.value,
                    key=event.key or None,
                    headers=[(ID_HEADER, event.id.encode())],
                    partition=self.outcomes.number_in(event.stream, partition),
                )
            except BufferError:
                producer.poll(_PAUSE)
            else:
                return

    def _without_known(self, held: Sequence[Work]) -> list[tuple[Partition, Outgoing]]:
        events = {
            (event.stream, event.id): (one.claim.partition, event)
            for one in held
            for event in one.events
        }
        known = {
            (stream, identifier)
            for stream in {stream for stream, _ in events}
            for identifier in self.outcomes.known(
                stream, [identifier for name, identifier in events if name == stream]
            )
        }
        return [event for key, event in events.items() if key not in known]

    def _end_transaction(self, error: KafkaException) -> None:
        """Abort; where that cannot be, begin anew and learn what became of the transaction."""
        if error.args[0].txn_requires_abort() and self._producer is not None:
            producer = self._producer
            try:
                _trying(lambda: producer.abort_transaction(ANSWER_SECONDS))
            except KafkaException as worse:
                _log.warning("a transaction cannot be ended", error=worse.args[0].str())
            else:
                return
        self._producer = None
        self._is_unsure = True

    def _learn(self) -> None:
        """Read what may have been committed without our knowing, of any claim.

        Raises StoreError.
        """
        for partition in self.claims:
            self.outcomes.aim(partition)
        deadline = time.monotonic() + ANSWER_SECONDS
        while not all(map(self.outcomes.knows_all, self.claims)):
            if time.monotonic() > deadline:
                raise StoreError(f"Kafka at {self._place.servers}: a transaction is still open")
            time.sleep(_PAUSE)
        self._is_unsure = False

    def _trouble(self, error: KafkaException) -> StoreError:
        told = error.args[0].str()
        return StoreError(f"Kafka at {self._place.servers}, group {self._group}: {told}")


def _trying(call: Callable[[], None]) -> None:
    """Call again where librdkafka says that it may go on. Raises KafkaException."""
    for attempt in range(_COMMIT_ATTEMPTS):
        try:
            return call()
        except KafkaException as error:
            if not error.args[0].retriable() or attempt == _COMMIT_ATTEMPTS - 1:
                raise
    return None
