"""Debian's packages, installed without the services that they would start."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from scripts.loopback import ServerError, run

_POLICY = Path("/usr/sbin/policy-rc.d")


def install(packages: Sequence[str], reason: str) -> None:
    """Install packages; `reason` says what is missing. Raises ServerError, as who is not root."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise ServerError(
            f"{reason}: as root on Debian, run"
            f" 'apt-get install --no-install-recommends {' '.join(packages)}'"
        )
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with _no_services_started():
        run(["apt-get", "update", "-q"], env=environment)
        run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", *packages],
            env=environment,
        )


@contextmanager
def _no_services_started() -> Iterator[None]:
    """Keep Debian from starting servers that it installs: one would take a port, such as 80."""
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()
