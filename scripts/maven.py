"""Java, and programs of it brought by Maven, whose settings say where artifacts come from."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from scripts.loopback import ServerError, run

COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"


def java_version() -> int:
    """Return the number of the installed Java, 0 if there is none."""
    if shutil.which("java") is None:
        return 0
    told = subprocess.run(["java", "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', told.stderr)
    return int(found[1]) if found else 0


def check() -> None:
    """Raise ServerError if Maven is not installed."""
    if shutil.which("mvn") is None:
        raise ServerError("Maven is not installed: on Debian, 'apt-get install maven' as root")


def install(missing: Callable[[], str | None], pom: str, folder: Path) -> None:
    """Bring a project where it is `missing`. Raises ServerError."""
    if missing() is None:
        return
    _bring(pom, folder)
    reason = missing()
    if reason is not None:
        raise ServerError(f"{reason}, although Maven has brought its artifacts")


def _bring(pom: str, folder: Path) -> None:
    """Put what a project depends on at runtime into a folder, in place of all in it."""
    check()
    new = folder.with_name(f"{folder.name}.{os.getpid()}")
    new.mkdir(parents=True)
    try:
        (new / "pom.xml").write_text(pom)
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={new}"]
        run(["mvn", "-B", "-q", "-f", str(new / "pom.xml"), f"{COPY}-dependencies", *options])
        shutil.rmtree(folder, ignore_errors=True)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
