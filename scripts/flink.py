"""Apache Flink with this package beside it, for tests and for trying things out.

    python3 -m scripts.flink install      an environment of its own, and the Kafka connector's jar
    python3 -m scripts.flink where        the environment's Python, and the jar

apache-flink holds apache-beam, which holds numpy below 2.2, pyarrow below 17 and protobuf below 6:
it cannot be installed beside what the rest of this project is pinned to, so it gets an environment
of its own, pinned by constraints-flink.txt. Takes 1 GB and a minute, once.

Needs the standard library, Python 3.11 or 3.12, Java 17 and, for `install`, Maven, whose settings
say where artifacts come from.
"""

import argparse
import shutil
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from scripts import loopback, maven
from scripts.loopback import ServerError

VERSION = "2.3.0"
CONNECTOR = "5.0.0-2.2"
PYTHONS = ((3, 11), (3, 12))
PROJECT = Path(__file__).parents[1]

_PINS = PROJECT / "constraints-flink.txt"
_JAR = "flink-sql-connector-kafka"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["install", "where"])
    verb = parser.parse_args(argv).verb
    return loopback.told("flink", install if verb == "install" else _tell)


def _tell() -> None:
    print(python(), connector(), sep="\n")


def folder() -> Path:
    """Return the folder of the environment and the jar; REVQ_FLINK names another one."""
    return loopback.cache("REVQ_FLINK", f"flink-{VERSION}")


def python() -> Path:
    """Return the interpreter that has Flink."""
    return folder() / "venv/bin/python"


def connector() -> Path:
    """Return the jar of Flink's Kafka SQL connector."""
    return folder() / f"{_JAR}-{CONNECTOR}.jar"


def missing() -> str | None:
    """Say what is missing to run a job, None if nothing is."""
    if not maven.java_version():
        return "Java is not installed"
    if not connector().exists():
        return f"Apache Flink's Kafka connector {CONNECTOR} is not in {folder()}"
    if not _stamp().exists() or _stamp().read_bytes() != _PINS.read_bytes():
        return f"Apache Flink {VERSION}, as {_PINS.name} pins it, is not in {folder()}"
    return None


def install() -> None:
    """Bring what is missing."""
    if missing() is None:
        return
    if sys.version_info[:2] not in PYTHONS:
        raise ServerError(
            "Apache Flink needs Python 3.11 or 3.12: run this script with one of them"
        )
    if not maven.java_version():
        raise ServerError(
            "Java is not installed: on Debian, 'apt-get install openjdk-17-jre-headless'"
        )
    maven.check()
    folder().mkdir(parents=True, exist_ok=True)
    _bring_connector()
    _bring_environment()
    reason = missing()
    if reason is not None:
        raise ServerError(f"{reason}, although it was installed")


def _bring_connector() -> None:
    artifact = f"org.apache.flink:{_JAR}:{CONNECTOR}"
    loopback.run(
        ["mvn", "-B", "-q", maven.COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={folder()}"]
    )


def _bring_environment() -> None:
    _stamp().unlink(missing_ok=True)
    venv.create(python().parents[1], clear=True, with_pip=True)
    pip = [str(python()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    loopback.run([*pip, "--constraint", str(_PINS), "--editable", f"{PROJECT}[flink]"])
    shutil.copyfile(_PINS, _stamp())


def _stamp() -> Path:
    return folder() / _PINS.name


if __name__ == "__main__":
    sys.exit(main())
