"""`revq models compare`: two models on the edits that both have scored, and what became of them."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from revision_quality.cli.models import models
from revision_quality.events.prediction import PredictionChange, build_prediction
from revision_quality.events.streams import PREDICTION
from revision_quality.levels.labels_view import LabelsView
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.settings import load_settings
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from tests.events.examples import page_change, verdict
from tests.views.examples import records

SETTINGS = """
data_folder = "{folder}"

[model]

[[models]]
kind = "lift_wing"
url = "http://127.0.0.1:1"
name = "another"
version = "2"
"""
OTHER = ("another", "2")
EDITS, DAMAGING = range(10, 30), range(10, 15)
LONG_AGO = -3 * 365 * 86_400.0
"""Seconds: the label is settled whenever the test runs."""


def scored(rev_id: int, score: float, model: ModelKey) -> PredictionChange:
    change = page_change(rev_id=rev_id, second=LONG_AGO)
    name, version = model
    return build_prediction(
        change, stream=PREDICTION, model_name=name, model_version=version, score=score
    )


async def fill(url: str, shown: ModelKey) -> None:
    view = ChangesView(Database(url), [shown, OTHER])
    events = [page_change(rev_id=rev_id, second=LONG_AGO) for rev_id in EDITS]
    for rev_id in EDITS:
        events.append(scored(rev_id, 0.99 if rev_id % 2 else 0.01, shown))
        events.append(scored(rev_id, 0.9 if rev_id in DAMAGING else 0.1, OTHER))
    events += [verdict(rev_id, "damaging", edited=LONG_AGO) for rev_id in DAMAGING]
    for each in (view, LabelsView(view.database, view.bell)):
        await each.apply(records(events))
    await view.close()


@pytest.mark.parametrize("wiki", [[], ["--wiki", "my_wiki"]])
def test_compare_tells_precision_and_recall_of_both(tmp_path: Path, wiki: list[str]) -> None:
    file = tmp_path / "revq.toml"
    file.write_text(SETTINGS.format(folder=tmp_path))
    shipped = RevertRisk.load()
    asyncio.run(fill(load_settings(file).changes_url, (shipped.name, shipped.version)))

    told = CliRunner().invoke(
        models, ["compare", "another", *wiki, "--config", str(file)], env={"COLUMNS": "200"}
    )

    assert told.exit_code == 0, told.output
    assert "of 20 labelled edits, 5 reverted" in told.output
    (row,) = [line for line in told.output.splitlines() if "75%" in line]
    assert [word for word in row.split() if word.endswith("0%")] == ["25.0%", "100.0%"]
