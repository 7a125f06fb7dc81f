"""`revq train`: what its card shows, and what it refuses before any work."""

from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from revision_quality.cli.evaluate import evaluate
from revision_quality.cli.train import train
from revision_quality.errors import ModelError, SettingsError
from revision_quality.training.evaluate import Report
from tests.training.make import write

app = typer.Typer()
app.command()(train)
app.command()(evaluate)


@pytest.mark.parametrize("wikis", [1, 3])
def test_the_card_shows_the_figures_that_evaluate_wrote(tmp_path: Path, wikis: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    write(folder, wikis=wikis, edits=120)
    figures, html = tmp_path / "e.json", tmp_path / "e.html"
    options = ["--json", str(figures), "--html", str(html), "--split", "time", "--resamples", "5"]
    evaluated = CliRunner().invoke(app, ["evaluate", str(folder), *options])
    assert evaluated.exit_code == 0, evaluated.output
    report = msgspec.json.decode(figures.read_bytes(), type=Report)
    options = ["--out", str(tmp_path / "m.npz"), "--evaluation", str(figures)]
    trained = CliRunner().invoke(app, ["train", str(folder), *options, "--folds", "3"])
    assert trained.exit_code == 0, trained.output
    card = (tmp_path / "m.md").read_text("utf-8")
    ours = report.scorers[0].all.roc_auc
    assert f"| ROC AUC | {ours.value:.4f} ({ours.low:.4f}-{ours.high:.4f}) |" in card
    assert ("of one wiki" in card) == ("on stretches of time left out" in card) == (wikis == 1)


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_interval_is_cut_off(tmp_path: Path, columns: int) -> None:
    folder = write(tmp_path)
    options = ["--json", str(tmp_path / "e.json"), "--html", str(tmp_path / "e.html")]
    options += ["--split", "time", "--resamples", "5"]
    width = {"COLUMNS": str(columns), "FORCE_COLOR": "1"}
    evaluated = CliRunner().invoke(app, ["evaluate", str(folder), *options], env=width)
    assert evaluated.exit_code == 0, evaluated.output
    assert "…" not in evaluated.output


def test_in_a_pipe_a_figure_stands_beside_its_interval(tmp_path: Path) -> None:
    folder = write(tmp_path)
    figures = tmp_path / "e.json"
    options = ["--json", str(figures), "--html", str(tmp_path / "e.html")]
    options += ["--split", "time", "--resamples", "5"]
    evaluated = CliRunner().invoke(app, ["evaluate", str(folder), *options], env={"COLUMNS": "80"})
    for each in msgspec.json.decode(figures.read_bytes(), type=Report).scorers:
        auc = each.all.roc_auc
        assert f" {auc.value:.4f} ({auc.low:.4f}-{auc.high:.4f}) " in evaluated.output


def test_figures_that_cannot_be_read_are_told_before_training(tmp_path: Path) -> None:
    folder = write(tmp_path)
    out = tmp_path / "m.npz"
    bad = tmp_path / "bad.json"
    bad.write_text("{}")
    for file, says in ((bad, "holds no figures"), (tmp_path / "none.json", "cannot be read (No")):
        options = ["--out", str(out), "--evaluation", str(file)]
        done = CliRunner().invoke(app, ["train", str(folder), *options])
        assert isinstance(done.exception, SettingsError)
        assert says in str(done.exception)
        assert not out.exists()


def test_too_few_reverted_edits_are_told(tmp_path: Path) -> None:
    write(tmp_path, wikis=1, edits=50)
    done = CliRunner().invoke(app, ["train", str(tmp_path), "--out", str(tmp_path / "m.npz")])
    assert isinstance(done.exception, ModelError)
    assert "only 10 of its 50 labelled edits were reverted" in str(done.exception)
