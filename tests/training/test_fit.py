import numpy as np
import pytest

from revision_quality.errors import ModelError
from revision_quality.models.artifact import dump, load
from revision_quality.models.base import Prediction
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.training.boost import Settings
from revision_quality.training.examples import Examples, join, latest, to_examples, wiki_folds
from revision_quality.training.fit import fit, reweighing, strengths, tempers
from revision_quality.training.sources import read_edits, training_files
from tests.models.make import ARTICLE, NEWCOMER, revision
from tests.training.make import write

SETTINGS = Settings(rounds=20, max_depth=3, min_child_weight=1.0)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = write(tmp_path_factory.mktemp("labelled"))
    return join([to_examples(read_edits(path)) for path in training_files(folder)])


def test_a_trained_model_tells_damage_from_work(examples: Examples) -> None:
    artifact = fit(examples, "test-1", SETTINGS, folds=4)
    model = RevertRisk(load(dump(artifact), "test"))
    shout = revision(
        text=ARTICLE + "OLD TOWN RIVER BRIDGE NEW MARKET STREET HARBOUR!!!\n",
        user=NEWCOMER,
        comment="",
    )
    bad, good = model.score([shout, revision()])
    assert isinstance(bad, Prediction)
    assert isinstance(good, Prediction)
    assert bad.score > 5 * good.score
    assert model.version == "test-1"
    assert {level.name for level in model.levels} >= {"likelygood", "maybebad", "verylikelybad"}


def test_the_same_seed_gives_the_same_bytes(examples: Examples) -> None:
    first, again = (dump(fit(examples, "x", SETTINGS, folds=2)) for _ in range(2))
    assert first == again


def test_one_wiki_alone_is_calibrated_on_other_times(examples: Examples) -> None:
    artifact = fit(examples.only(examples.wikis == "w0wiki"), "x", SETTINGS)
    assert artifact.header.levels


def test_training_needs_both_labels(examples: Examples) -> None:
    with pytest.raises(ModelError, match="same label"):
        fit(examples.only(examples.labels == 0), "x", SETTINGS)


def test_each_wiki_is_held_out_once_and_whole(examples: Examples) -> None:
    masks = wiki_folds(examples.wikis, 3, seed=1)
    assert (np.sum(masks, axis=0) == 1).all()
    for mask in masks:
        assert not set(examples.wikis[mask]) & set(examples.wikis[~mask])


def test_the_latest_edits_come_after_all_others_of_their_wiki(examples: Examples) -> None:
    later = latest(examples, 0.25)
    assert 0.2 < later.mean() < 0.3
    own = examples.wikis == "w1wiki"
    assert examples.times[own & later].min() > examples.times[own & ~later].max()


def test_full_reweighing_makes_label_and_kind_of_editor_independent(examples: Examples) -> None:
    weights = examples.weights * reweighing(examples, strength=1.0)
    rates = [
        np.average(examples.labels[kind], weights=weights[kind])
        for kind in (examples.anonymous, ~examples.anonymous)
    ]
    assert rates[0] == pytest.approx(rates[1])


def test_reweighing_fades_out_where_an_edit_looks_like_clear_damage() -> None:
    little, middling, clear = strengths(np.array([-6.0, -1.0, 4.0]))
    assert little > 1.9 * middling > 100 * clear


def test_an_edit_that_looks_like_damage_has_its_natural_weight() -> None:
    little, middling, clear = tempers(np.array([-6.0, 0.0, 4.0]))
    assert little == pytest.approx(0.8, abs=0.001)
    assert middling == pytest.approx(0.9)
    assert clear == pytest.approx(1, abs=0.001)
