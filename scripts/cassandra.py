"""A real Apache Cassandra on this machine's loopback, for tests and for trying things out.

    python3 scripts/cassandra.py install                      the server's jars, through Maven
    python3 scripts/cassandra.py start --folder F [--port P]  one node in F, until SIGTERM or SIGINT

`start` prints the address and the version as soon as the node answers. A folder that a node used
before keeps its tables. Loopback only, nothing is encrypted, nobody logs in: never serve it to
anybody else.

Needs the standard library, Java 17 and, for `install`, Maven, whose settings say where artifacts
come from.
"""

import argparse
import json
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

HOST = "127.0.0.1"
PORTS = range(20_000, 32_000)
"""Where a free port is looked for: below those that Linux gives to connections of its own accord,
which could take a server's while it is away."""

VERSION = "5.0.6"
JAVA = 17
HEAP_MB = 512
START_TIMEOUT_S = 180
STOP_TIMEOUT_S = 30

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"

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


class CassandraError(Exception):
    """The node cannot be installed or served; the text says why."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    args = _parser().parse_args(argv)
    try:
        if args.verb == "install":
            install()
        else:
            serve(args.folder.resolve(), args.port)
    except CassandraError as error:
        print(f"cassandra: {error}", file=sys.stderr)
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
    """Return the folder of the jars; REVQ_CASSANDRA_JARS names another one."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    named = os.environ.get("REVQ_CASSANDRA_JARS")
    return Path(named or cache / f"revision_quality/cassandra-{VERSION}")


def missing() -> str | None:
    """Say what is missing to serve a node, None if nothing is."""
    if _java_version() != JAVA:
        return f"Java {JAVA} is not installed, the newest that Cassandra 5.0 runs on"
    if not (jars() / f"cassandra-all-{VERSION}.jar").exists():
        return f"Apache Cassandra {VERSION} is not in {jars()}"
    return None


def install() -> None:
    """Bring the jars where they are missing."""
    if _java_version() != JAVA:
        raise CassandraError(f"Java {JAVA} is not installed: on Debian, openjdk-17-jre-headless")
    if missing() is None:
        return
    if shutil.which("mvn") is None:
        raise CassandraError("Maven is not installed: on Debian, 'apt-get install maven' as root")
    new = jars().with_name(f"{jars().name}.{os.getpid()}")
    new.mkdir(parents=True)
    try:
        (new / "pom.xml").write_text(POM.substitute(version=VERSION))
        _run(
            [
                *("mvn", "-B", "-q", "-f", str(new / "pom.xml"), _COPY),
                *("-DincludeScope=runtime", f"-DoutputDirectory={new}"),
            ]
        )
        shutil.rmtree(jars(), ignore_errors=True)
        new.rename(jars())
    finally:
        shutil.rmtree(new, ignore_errors=True)
    reason = missing()
    if reason is not None:
        raise CassandraError(f"{reason}, although Maven has brought its artifacts")


def serve(folder: Path, port: int) -> None:
    """Serve a node from a folder until SIGTERM or SIGINT."""
    reason = missing()
    if reason is not None:
        raise CassandraError(f"{reason}: run 'python3 scripts/cassandra.py install'")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    port = port or _free_port()
    node = _start(folder, _configuration(folder, port))
    try:
        _wait_until_it_answers(folder, node, port)
        print(f"{HOST}:{port} Apache Cassandra {VERSION}", flush=True)
        if node.wait() != 0:
            raise CassandraError(f"the node ended: see {folder / 'cassandra.log'}")
    except KeyboardInterrupt:
        pass
    finally:
        _end(node)


def _configuration(folder: Path, port: int) -> Path:
    """Write the node's configuration: YAML, of which JSON is a part."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "logback.xml").write_text(LOGBACK)
    storage_port = _free_port()
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
    with (folder / "cassandra.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            start_new_session=True,
        )


def _modules(option: str, packages: dict[str, str]) -> list[str]:
    return [
        f"{option}={module}/{package}=ALL-UNNAMED"
        for module, names in packages.items()
        for package in names.split()
    ]


def _wait_until_it_answers(folder: Path, node: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _is_open(port):
        if node.poll() is not None or time.monotonic() > deadline:
            raise CassandraError(f"{HOST}:{port} does not open: see {folder / 'cassandra.log'}")
        time.sleep(0.05)


def _end(node: subprocess.Popen[bytes]) -> None:
    node.terminate()
    try:
        node.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        node.kill()
        node.wait()


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
        raise CassandraError(f"'{command[0]}' failed:\n{done.stdout.strip()}")


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
