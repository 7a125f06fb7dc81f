"""What serves runs in uvloop's loop where there is one."""

import asyncio
import sys

import pytest

from revision_quality.cli.loop import run_loop


async def name_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__


@pytest.mark.skipif(sys.platform == "win32", reason="uvloop is not made for Windows")
def test_the_loop_is_uvloops() -> None:
    assert run_loop(name_of_loop()).startswith("uvloop")


def test_an_error_comes_out() -> None:
    async def fail() -> None:
        raise LookupError

    with pytest.raises(LookupError):
        run_loop(fail())
