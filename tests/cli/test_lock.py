"""One process for one data folder."""

import subprocess
import sys
from pathlib import Path

import pytest

from revision_quality.cli.lock import locked
from revision_quality.errors import StoreError

HOLDER = """
import sys
from pathlib import Path
from revision_quality.cli.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_the_folder_is_made_and_held_and_let_go(tmp_path):
    folder = tmp_path / "new/data"
    for _ in range(2):
        with locked(folder):
            assert folder.is_dir()
            with pytest.raises(StoreError, match="is in use"), locked(folder):
                pass


def test_the_holder_is_named_and_its_end_frees_the_folder(tmp_path: Path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(
                StoreError, match=rf"in use by another revq \(process {holder.pid}\): stop that one"
            ),
            locked(tmp_path),
        ):
            pass
        holder.kill()

    with locked(tmp_path):
        assert (tmp_path / "lock").read_text()


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with (
        pytest.raises(StoreError, match=r"data folder .*file/data cannot be written \(Not a dir"),
        locked(tmp_path / "file/data"),
    ):
        pass
