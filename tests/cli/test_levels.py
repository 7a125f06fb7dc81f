"""`revq levels`: the table, JSON, a target tried, a level set by hand and given back."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revision_quality.cli.main import app
from revision_quality.levels.keeper import LevelsKeeper
from revision_quality.levels.scores import NamedModel
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.levels.wikis import RULES, count_edits


@pytest.fixture
async def config(tmp_path: Path) -> Path:
    model = RevertRisk.load()
    named = NamedModel(model.name, model.version)
    view = ChangesView(Database(f"sqlite:///{tmp_path}/changes.sqlite"))
    settled = datetime.now(UTC) - timedelta(days=4)
    await view.database.write(
        lambda connection: count_edits(connection, "awiki", model=named, last=settled)
    )
    await LevelsKeeper(view.database, [named], RULES).choose_all(named)
    await view.close()
    file = tmp_path / "revq.toml"
    file.write_text(
        'data_folder = "."\n[changes_view]\nurl = "sqlite:///changes.sqlite"\n'
        '[[wikis]]\napi = "https://wiki.example/w/api.php"\n'
    )
    return file


def told(config: Path, *arguments: str) -> str:
    result = CliRunner().invoke(app, ["levels", str(config), *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.exception
    return result.output


def test_each_level_is_a_line_with_what_it_was_measured_to_do(config):
    lines = told(config).splitlines()

    assert lines[0].split()[:4] == ["wiki", "level", "threshold", "precision"]
    assert [line.split()[1] for line in lines[1:5]] == [
        "likelygood",
        "maybebad",
        "likelybad",
        "verylikelybad",
    ]
    assert "own edits" in lines[1]


def test_json_has_the_intervals(config):
    (report,) = json.loads(told(config, "--json"))

    assert report["wiki_id"] == "awiki"
    assert all(level["low"] < level["high"] for level in report["levels"])


def test_a_level_is_set_by_hand_and_chosen_again(config):
    (report,) = json.loads(told(config, "--wiki", "awiki", "--set", "likelybad=0.61", "--json"))
    thresholds = {level["name"]: level["threshold"] for level in report["levels"]}
    assert (thresholds["likelybad"], report["fixed"]) == (0.61, {"likelybad": 0.61})

    (report,) = json.loads(told(config, "--wiki", "awiki", "--clear", "likelybad", "--json"))
    assert report["fixed"] == {}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--set", "likelybad=0.6"], "a level is set for one wiki: add --wiki"),
        (["--wiki", "awiki", "--set", "likelybad=2"], "write a level and a score between 0 and 1"),
        (["--wiki", "awiki", "--set", "evil=0.5"], "there is no level 'evil'; known are"),
        (["--wiki", "awiki", "--what-if", "x"], "is no target for a level: write it like"),
        (["--model", "x"], "there is no model 'x'"),
    ],
)
def test_what_cannot_be_meant_is_told_in_a_sentence(config, arguments, sentence):
    result = CliRunner().invoke(app, ["levels", str(config), *arguments])

    assert result.exit_code == 1
    assert sentence in str(result.exception)
