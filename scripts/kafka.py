"""A real Apache Kafka on this machine's loopback, for tests and for trying things out.

    python3 scripts/kafka.py install                      the broker's jars, through Maven
    python3 scripts/kafka.py start --folder F [--port P]  one node in F, until SIGTERM or SIGINT

`start` prints the address and the version as soon as the broker answers. A folder that a broker
used before keeps its topics. One node in KRaft mode, broker and controller in one process; loopback
only, nothing is encrypted, nobody logs in: never serve it to anybody else.

Needs the standard library, Java 17 and, for `install`, Maven, whose settings say where artifacts
come from.
"""

import argparse
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from string import Template
from uuid import uuid4

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where a free port is looked for: below those that Linux gives to connections of its own accord,
which could take a server's while it is away."""

VERSION = "4.2.0"
"""Not 4.3.0, whose KRaftMetadataCache.getPartitionLeaderEndpoint finds no node for a partition that
has no leader: marks of transactions are skipped as if it were deleted (docs/kafka.md)."""

SCALA = "2.13"
JAVA = 17
HEAP_MB = 384
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

POM = Template("""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>revision_quality</groupId><artifactId>kafka-jars</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>
<dependency>
<groupId>org.apache.kafka</groupId><artifactId>kafka_$scala</artifactId><version>$version</version>
</dependency>
<dependency>
<groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version>
</dependency>
</dependencies>
</project>
""")

# Kafka's own defaults copy each internal topic to three brokers; here is one. A killed worker's
# transaction is looked for once a second instead of every ten, so that tests need not wait.
PROPERTIES = Template("""process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=$host:$controller
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$controller
advertised.listeners=PLAINTEXT://$host:$port,CONTROLLER://$host:$controller
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$logs
auto.create.topics.enable=false
num.partitions=4
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
share.coordinator.state.topic.replication.factor=1
group.initial.rebalance.delay.ms=0
message.max.bytes=4194304
log.cleaner.dedupe.buffer.size=8388608
""")


class KafkaError(Exception):
    """The broker cannot be installed or served; the text says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.verb == "install":
            install()
        else:
            serve(args.folder.resolve(), args.port)
    except KafkaError as error:
        print(f"kafka: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("install")
    start = verbs.add_parser("start")
    start.add_argument("--folder", type=Path, required=True)
    start.add_argument("--port", type=int, default=0, help="0: any free port")
    return parser


def jars() -> Path:
    """Return the folder of the jars; REVQ_KAFKA_JARS names another one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("REVQ_KAFKA_JARS") or cache / f"revision_quality/kafka-{VERSION}")


def missing() -> str | None:
    """Say what is missing to serve a broker, None if nothing is."""
    if _java_version() < JAVA:
        return f"Java {JAVA} or newer is not installed"
    if not (jars() / f"kafka_{SCALA}-{VERSION}.jar").exists():
        return f"Apache Kafka {VERSION} is not in {jars()}"
    return None


def install() -> None:
    """Bring the jars where they are missing."""
    if _java_version() < JAVA:
        raise KafkaError(f"Java {JAVA} or newer is not installed: on Debian, openjdk-17-jre")
    if missing() is None:
        return
    if shutil.which("mvn") is None:
        raise KafkaError("Maven is not installed: on Debian, 'apt-get install maven' as root")
    new = jars().with_name(f"{jars().name}.{os.getpid()}")
    new.mkdir(parents=True)
    try:
        (new / "pom.xml").write_text(POM.substitute(scala=SCALA, version=VERSION))
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={new}"]
        _run(["mvn", "-B", "-q", "-f", str(new / "pom.xml"), _COPY, *options])
        shutil.rmtree(jars(), ignore_errors=True)
        new.rename(jars())
    finally:
        shutil.rmtree(new, ignore_errors=True)
    reason = missing()
    if reason is not None:
        raise KafkaError(f"{reason}, although Maven has brought its artifacts")


def serve(folder: Path, port: int) -> None:
    """Serve a broker from a folder until SIGTERM or SIGINT; make its storage if it has none."""
    reason = missing()
    if reason is not None:
        raise KafkaError(f"{reason}: run 'python3 scripts/kafka.py install'")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = port or _free_port()
    properties = _make_storage(folder, port)
    broker = _start(folder, properties)
    try:
        _wait_until_it_answers(folder, broker, port)
        print(f"{HOST}:{port} Apache Kafka {VERSION}", flush=True)
        if broker.wait() != 0:
            raise KafkaError(f"the broker ended: see {folder / 'kafka.log'}")
    except KeyboardInterrupt:
        pass
    finally:
        _end(broker)


def _make_storage(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        PROPERTIES.substitute(host=HOST, port=port, controller=_free_port(), logs=folder / "logs")
    )
    if not (folder / "logs/meta.properties").exists():
        arguments = ["format", "--standalone", "-t", _cluster_id(), "-c", str(properties)]
        _run([*_java(64), "kafka.tools.StorageTool", *arguments])
    return properties


def _cluster_id() -> str:
    return re.sub(r"[^A-Za-z0-9]", "", uuid4().hex)[:22]


def _java(heap_mb: int) -> list[str]:
    return [
        "java",
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-cp",
        f"{jars()}/*",
    ]


def _start(folder: Path, properties: Path) -> subprocess.Popen[bytes]:
    with (folder / "kafka.log").open("ab") as log:
        return subprocess.Popen(
            [*_java(HEAP_MB), "kafka.Kafka", str(properties)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def _wait_until_it_answers(folder: Path, broker: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _is_open(port):
        if broker.poll() is not None or time.monotonic() > deadline:
            raise KafkaError(f"{HOST}:{port} does not open: see {folder / 'kafka.log'}")
        time.sleep(0.05)


def _end(broker: subprocess.Popen[bytes]) -> None:
    broker.terminate()
    try:
        broker.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        broker.kill()
        broker.wait()


def _java_version() -> int:
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found[1]) if found else 0


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise KafkaError(f"'{command[0]}' failed:\n{done.stdout.strip()}")


def _is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def _free_port() -> int:
    while True:
        with suppress(OSError), socket.socket() as probe:
            probe.bind((HOST, random.choice(PORTS)))
            return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
