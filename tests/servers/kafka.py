"""A real Apache Kafka on loopback as a fixture."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self
from uuid import uuid4

import pytest
from scripts import kafka

from revision_quality.streams.kafka.place import KafkaPlace
from tests.servers import scripted

QUICK = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000, "transaction.timeout.ms": 3000}


class Broker:
    """A broker served from a folder; it keeps its address and its topics when it is stopped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        port = self.address.rpartition(":")[2] or "0"
        place = ["--folder", str(self._folder), "--port", port]
        self._process, told = scripted.start("kafka", "start", *place)
        self.address = told.partition(" ")[0]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.communicate()
            self._process = None

    def place(self, partitions: int = 4) -> KafkaPlace:
        """Return a place whose topics nobody else has."""
        return KafkaPlace(
            servers=self.address,
            prefix=f"test{uuid4().hex[:8]}.",
            partitions=partitions,
            options=QUICK,
        )


@pytest.fixture(scope="session")
def start_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Broker]]:
    """Return a function that serves a further broker."""
    reason = kafka.missing()
    if reason is not None:
        pytest.skip(f"{reason}: run 'python3 -m scripts.kafka install'")
    brokers: list[Broker] = []

    def start() -> Broker:
        brokers.append(Broker(tmp_path_factory.mktemp("kafka")))
        brokers[-1].start()
        return brokers[-1]

    yield start
    for broker in brokers:
        broker.stop()


@pytest.fixture(scope="session")
def broker(start_broker: Callable[[], Broker]) -> Broker:
    """Return a broker that all tests share."""
    return start_broker()
