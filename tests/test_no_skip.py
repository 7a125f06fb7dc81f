"""In CI nothing passes by not running."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SKIPS = """
import pytest

def test_skips_itself():
    pytest.skip("no server")

@pytest.mark.skipif(True, reason="no browser")
def test_is_skipped():
    pass

@pytest.mark.xfail(reason="known")
def test_fails_as_known():
    assert False

def test_runs():
    pass
"""


@pytest.mark.parametrize(
    ("no_skip", "outcome"),
    [("1", "1 failed, 1 passed, 1 xfailed, 1 error"), ("0", "1 passed, 2 skipped, 1 xfailed")],
)
def test_a_skip_fails_where_skips_are_forbidden(tmp_path, no_skip, outcome):
    (tmp_path / "test_skips.py").write_text(SKIPS)

    assert outcome in _run_pytest(tmp_path, no_skip)


def test_a_module_that_skips_fails_too(tmp_path):
    (tmp_path / "test_skips.py").write_text("import pytest\npytest.importorskip('no_such_module')")

    output = _run_pytest(tmp_path, "1")

    assert "forbids to skip" in output
    assert "no_such_module" in output


def _run_pytest(folder: Path, no_skip: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "tests.no_skip", "--rootdir", folder, folder],
        cwd=folder,
        env={**os.environ, "REVQ_TESTS_NO_SKIP": no_skip, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr
