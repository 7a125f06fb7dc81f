"""Servers that our scripts run, each by a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]


def start(
    script: str, *arguments: str, env: Mapping[str, str] | None = None
) -> tuple[subprocess.Popen[str], str]:
    """Start a server; return its process and the first line that it tells, when it answers."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"scripts.{script}", *arguments],
        cwd=PROJECT,
        env=os.environ | (env or {}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line:
        pytest.fail(f"{script} does not start: {process.communicate()[1]}")
    return process, line
