"""The command line names all its verbs without importing them."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from revision_quality.cli.main import app
from revision_quality.cli.verbs import VERBS, load

HEAVY = ("numpy", "sqlalchemy", "httpx", "uvicorn", "starlette", "xgboost")
WATCHED = f"""
import sys
from revision_quality.cli.main import app
try:
    app()
finally:
    print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize("name", VERBS)
def test_the_help_line_of_a_verb_is_its_own(name):
    verb = load(name)

    assert (verb.help or "").splitlines()[0] == VERBS[name]
    assert verb.name == name


@pytest.mark.parametrize("option", ["--version", "--help"])
def test_what_verbs_need_is_not_imported_for(option):
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, option], capture_output=True, text=True, check=True
    )

    assert done.stderr == "[]\n"


def test_the_help_lists_every_verb():
    done = CliRunner().invoke(app, ["--help"])

    assert done.exit_code == 0
    assert all(f" {name} " in done.output for name in VERBS)


def test_a_verb_that_is_none_gets_a_suggestion():
    done = CliRunner().invoke(app, ["repla"])

    assert done.exit_code == 2
    assert "Did you mean 'replay'?" in done.output
