"""A real Apache Kafka on this machine's loopback, for tests and for trying things out.

    python3 -m scripts.kafka install                      the broker's jars, through Maven
    python3 -m scripts.kafka start --folder F [--port P]  one node in F, until SIGTERM or SIGINT

`start` prints the address and the version as soon as the broker answers. A folder that a broker
used before keeps its topics. One node in KRaft mode, broker and controller in one process; loopback
only, nothing is encrypted, nobody logs in: never serve it to anybody else.

Needs the standard library, Java 17 and, for `install`, Maven, whose settings say where artifacts
come from.
"""

import re
import subprocess
import sys
from pathlib import Path
from string import Template
from uuid import uuid4

from scripts import loopback, maven
from scripts.loopback import HOST, ServerError

VERSION = "4.2.0"
"""Not 4.3.0, whose KRaftMetadataCache.getPartitionLeaderEndpoint finds no node for a partition that
has no leader: marks of transactions are skipped as if it were deleted (docs/kafka.md)."""

SCALA = "2.13"
JAVA = 17
HEAP_MB = 384
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 20


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


def main() -> int:
    """Run the command line; return the exit status."""
    return loopback.node("kafka", __doc__, install, serve)


def jars() -> Path:
    """Return the folder of the jars; REVQ_KAFKA_JARS names another one."""
    return loopback.cache("REVQ_KAFKA_JARS", f"kafka-{VERSION}")


def missing() -> str | None:
    """Say what is missing to serve a broker, None if nothing is."""
    if maven.java_version() < JAVA:
        return f"Java {JAVA} or newer is not installed"
    if not (jars() / f"kafka_{SCALA}-{VERSION}.jar").exists():
        return f"Apache Kafka {VERSION} is not in {jars()}"
    return None


def install() -> None:
    """Bring the jars where they are missing."""
    if maven.java_version() < JAVA:
        raise ServerError(f"Java {JAVA} or newer is not installed: on Debian, openjdk-17-jre")
    maven.install(missing, POM.substitute(scala=SCALA, version=VERSION), jars())


def serve(folder: Path, port: int) -> None:
    """Serve a broker from a folder until SIGTERM or SIGINT; make its storage if it has none."""
    reason = missing()
    if reason is not None:
        raise ServerError(f"{reason}: run 'python3 -m scripts.kafka install'")
    loopback.end_on_sigterm()
    port = port or loopback.free_port()
    properties = _make_storage(folder, port)
    broker = _start(folder, properties)
    loopback.keep(
        broker,
        folder / "kafka.log",
        lambda: f"{HOST}:{port} Apache Kafka {VERSION}" if loopback.is_open(port) else None,
        start_seconds=START_TIMEOUT_S,
        stop_seconds=STOP_TIMEOUT_S,
    )


def _make_storage(folder: Path, port: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    properties = folder / "server.properties"
    properties.write_text(
        PROPERTIES.substitute(
            host=HOST, port=port, controller=loopback.free_port(), logs=folder / "logs"
        )
    )
    if not (folder / "logs/meta.properties").exists():
        arguments = ["format", "--standalone", "-t", _cluster_id(), "-c", str(properties)]
        loopback.run([*_java(64), "kafka.tools.StorageTool", *arguments])
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
    return loopback.start([*_java(HEAP_MB), "kafka.Kafka", str(properties)], folder / "kafka.log")


if __name__ == "__main__":
    sys.exit(main())
