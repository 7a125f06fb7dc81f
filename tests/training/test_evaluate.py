from pathlib import Path

import msgspec
import pytest
import typer
from typer.testing import CliRunner

from revision_quality.cli.evaluate import evaluate
from revision_quality.cli.train import train
from revision_quality.errors import ModelError, SettingsError
from revision_quality.training.evaluate import OURS, RECIPE, RULE, SLOWER_RECIPE, Report
from tests.training.make import write

app = typer.Typer()
app.command()(train)
app.command()(evaluate)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("labelled"), wikis=3, edits=80)


def evaluated(folder: Path, out: Path, *options: str) -> tuple[Report, str]:
    report, page, _ = run(folder, out, *options)
    return report, page


def run(folder: Path, out: Path, *options: str) -> tuple[Report, str, str]:
    files = ["--json", str(out / "e.json"), "--html", str(out / "e.html")]
    done = CliRunner().invoke(app, ["evaluate", str(folder), "--resamples", "5", *files, *options])
    assert done.exit_code == 0, done.output
    report = msgspec.json.decode((out / "e.json").read_bytes(), type=Report)
    return report, (out / "e.html").read_text("utf-8"), done.output


def test_the_model_is_measured_beside_the_recipe_and_the_rule(folder: Path, tmp_path: Path) -> None:
    report, page, printed = run(folder, tmp_path, "--folds", "3")
    assert [scorer.name for scorer in report.scorers] == [OURS, RECIPE, SLOWER_RECIPE, RULE]
    ours, recipe, _, rule = report.scorers
    assert ours.all.average_precision.value > rule.all.average_precision.value
    assert ours.times_recipe["average_precision"].value == pytest.approx(
        ours.all.average_precision.value / recipe.all.average_precision.value
    )
    assert not recipe.times_recipe
    assert set(ours.wikis) == {"w0wiki", "w1wiki", "w2wiki"}
    assert report.edits == 240
    assert page.count("<svg") == 3
    assert "http" not in page
    for part in (
        "All edits",
        "Anonymous editors",
        "Registered editors",
        "times the published",
        "w2wiki",
    ):
        assert part in printed


def test_training_on_earlier_edits_is_measured_on_later_ones(folder: Path, tmp_path: Path) -> None:
    report, _ = evaluated(folder, tmp_path, "--split", "time")
    assert report.edits == 60


def test_a_model_file_is_measured_as_it_is(folder: Path, tmp_path: Path) -> None:
    model = tmp_path / "m.npz"
    trained = CliRunner().invoke(
        app, ["train", str(folder), "--out", str(model), "--version", "v9", "--folds", "3"]
    )
    assert trained.exit_code == 0, trained.output
    card = model.with_suffix(".md").read_text("utf-8")
    assert card.startswith("# Model card: revertrisk-language-agnostic v9")
    assert "| w1wiki | 80 | 16 |" in card
    assert "`bigram_surprise_added`" in card
    report, page = evaluated(folder, tmp_path, "--model", str(model))
    assert [scorer.name for scorer in report.scorers] == ["model v9", RULE]
    assert "times the published" not in page


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (["train", "{folder}", "--version", "x" * 33], SettingsError, "1 to 32 characters"),
        (["train", "{folder}/none"], ModelError, "there is no such file or folder"),
        (["evaluate", "{folder}", "--model", "{folder}/none.npz"], ModelError, "none.npz"),
        (["train", "{folder}", "--out", "{folder}/no/m.npz"], SettingsError, "make it first"),
        (["train", "{folder}", "--out", "{folder}"], SettingsError, "is a folder"),
        (["evaluate", "{folder}", "--html", "{folder}/no/e.html"], SettingsError, "make it first"),
    ],
)
def test_what_a_user_gets_wrong_is_named(
    folder: Path, arguments: list[str], error: type[Exception], says: str
) -> None:
    done = CliRunner().invoke(app, [argument.format(folder=folder) for argument in arguments])
    assert isinstance(done.exception, error)
    assert says in str(done.exception)
