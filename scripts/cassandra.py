"""A real Apache Cassandra on this machine's loopback, for tests and for trying things out.

    python3 -m scripts.cassandra install                      the server's jars, through Maven
    python3 -m scripts.cassandra start --folder F [--port P]  one node in F, until SIGTERM or SIGINT

`start` prints the address and the version as soon as the node answers. A folder that a node used
before keeps its tables. Loopback only, nothing is encrypted, nobody logs in: never serve it to
anybody else.

Needs the standard library, Java 17 and, for `install`, Maven, whose settings say where artifacts
come from.
"""

import json
import subprocess
import sys
from pathlib import Path
from string import Template

from scripts import loopback, maven
from scripts.loopback import HOST, ServerError

VERSION = "5.0.6"
JAVA = 17
HEAP_MB = 512
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 30


POM = Template("""<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion>
<groupId>revision_quality</groupId><artifactId>cassandra-jars</artifactId><version>1</version>
<packaging>pom</packaging>
<dependencies>
<dependency>
<groupId>org.apache.cassandra</groupId><artifactId>cassandra-all</artifactId>
<version>$version</version>
</dependency>
</dependencies>
</project>
""")

LOGBACK = """<configuration>
<appender name="out" class="ch.qos.logback.core.ConsoleAppender">
<encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder>
</appender>
<root level="WARN"><appender-ref ref="out"/></root>
</configuration>
"""

# One node has nobody to gossip with, so it need not wait for others.
QUICK_START = (
    "-Dcassandra.ring_delay_ms=0",
    "-Dcassandra.skip_wait_for_gossip_to_settle=0",
    "-Dcassandra.superuser_setup_delay_ms=0",
)

# What Cassandra reaches into on Java 17: its conf/jvm17-server.options has the same.
EXPORTS = {
    "java.base": "jdk.internal.misc jdk.internal.ref sun.nio.ch java.lang.ref",
    "java.management.rmi": "com.sun.jmx.remote.internal.rmi",
    "java.rmi": "sun.rmi.registry sun.rmi.server",
    "java.sql": "java.sql",
    "jdk.unsupported": "sun.misc",
}
OPENS = {
    "java.base": "java.io java.lang java.lang.module java.lang.reflect java.nio java.util"
    " java.util.concurrent java.util.concurrent.atomic jdk.internal.loader jdk.internal.math"
    " jdk.internal.module jdk.internal.ref jdk.internal.reflect jdk.internal.util.jar sun.nio.ch",
    "java.rmi": "sun.rmi.transport.tcp",
    "jdk.management": "com.sun.management.internal",
}


def main() -> int:
    """Run the command line; return the exit status."""
    return loopback.node("cassandra", __doc__, install, serve)


def jars() -> Path:
    """Return the folder of the jars; REVQ_CASSANDRA_JARS names another one."""
    return loopback.cache("REVQ_CASSANDRA_JARS", f"cassandra-{VERSION}")


def missing() -> str | None:
    """Say what is missing to serve a node, None if nothing is."""
    if maven.java_version() != JAVA:
        return f"Java {JAVA} is not installed, the newest that Cassandra 5.0 runs on"
    if not (jars() / f"cassandra-all-{VERSION}.jar").exists():
        return f"Apache Cassandra {VERSION} is not in {jars()}"
    return None


def install() -> None:
    """Bring the jars where they are missing."""
    if maven.java_version() != JAVA:
        raise ServerError(f"Java {JAVA} is not installed: on Debian, openjdk-17-jre-headless")
    maven.install(missing, POM.substitute(version=VERSION), jars())


def serve(folder: Path, port: int) -> None:
    """Serve a node from a folder until SIGTERM or SIGINT."""
    reason = missing()
    if reason is not None:
        raise ServerError(f"{reason}: run 'python3 -m scripts.cassandra install'")
    loopback.end_on_sigterm()
    port = port or loopback.free_port()
    node = _start(folder, _configuration(folder, port))
    loopback.keep(
        node,
        folder / "cassandra.log",
        lambda: f"{HOST}:{port} Apache Cassandra {VERSION}" if loopback.is_open(port) else None,
        start_seconds=START_TIMEOUT_S,
        stop_seconds=STOP_TIMEOUT_S,
    )


def _configuration(folder: Path, port: int) -> Path:
    """Write the node's configuration: YAML, of which JSON is a part."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logback.xml").write_text(LOGBACK)
    storage_port = loopback.free_port()
    seeds = {"seeds": f"{HOST}:{storage_port}"}
    provider = "org.apache.cassandra.locator.SimpleSeedProvider"
    settings = {
        "cluster_name": "revision_quality",
        "num_tokens": 1,
        "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
        "endpoint_snitch": "SimpleSnitch",
        "seed_provider": [{"class_name": provider, "parameters": [seeds]}],
        "listen_address": HOST,
        "storage_port": storage_port,
        "rpc_address": HOST,
        "native_transport_port": port,
        "commitlog_sync": "periodic",
        "commitlog_sync_period": "10000ms",
        "commitlog_total_space": "256MiB",
        "data_file_directories": [str(folder / "data")],
        "commitlog_directory": str(folder / "commitlog"),
        "saved_caches_directory": str(folder / "saved_caches"),
        "hints_directory": str(folder / "hints"),
        "cdc_raw_directory": str(folder / "cdc_raw"),
    }
    yaml = folder / "cassandra.yaml"
    yaml.write_text(json.dumps(settings, indent=1))
    return yaml


def _start(folder: Path, yaml: Path) -> subprocess.Popen[bytes]:
    [jamm] = jars().glob("jamm-*.jar")
    command = [
        *("java", f"-Xms{HEAP_MB}m", f"-Xmx{HEAP_MB}m", "-XX:+UseSerialGC"),
        "-XX:+ExitOnOutOfMemoryError",
        *("-cp", f"{jars()}/*", f"-javaagent:{jamm}"),
        f"-Dcassandra.config={yaml.as_uri()}",
        f"-Dcassandra.storagedir={folder}",
        f"-Dlogback.configurationFile={folder / 'logback.xml'}",
        *("-Djava.net.preferIPv4Stack=true", "-Djdk.attach.allowAttachSelf=true"),
        "-Dio.netty.tryReflectionSetAccessible=true",
        *QUICK_START,
        *_modules("--add-exports", EXPORTS),
        *_modules("--add-opens", OPENS),
        "org.apache.cassandra.service.CassandraDaemon",
    ]
    return loopback.start(command, folder / "cassandra.log")


def _modules(option: str, packages: dict[str, str]) -> list[str]:
    return [
        f"{option}={module}/{package}=ALL-UNNAMED"
        for module, names in packages.items()
        for package in names.split()
    ]


if __name__ == "__main__":
    sys.exit(main())
