import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from revision_quality.errors import ModelError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.contributions import Paths
from revision_quality.models.features import vector
from revision_quality.models.revert_risk import INLINE_CHARACTERS, MAX_TEXT_BYTES, RevertRisk
from revision_quality.wiki.revision import Revision
from tests.models.make import ARTICLE, NEWCOMER, revision

MODEL = RevertRisk.load()


def score(**changes: object) -> float:
    (answer,) = MODEL.score([revision(**changes)])
    assert isinstance(answer, Prediction)
    return answer.score


def test_the_shipped_model_says_who_it_is() -> None:
    assert MODEL.name == "revertrisk-language-agnostic"
    assert 0 < len(MODEL.version) <= 32


def test_its_levels_grow_stricter() -> None:
    levels = {level.name: level for level in MODEL.levels}
    maybe, likely, very = (levels[name] for name in ("maybebad", "likelybad", "verylikelybad"))
    assert maybe.threshold < likely.threshold < very.threshold
    assert maybe.precision < likely.precision < very.precision
    assert maybe.recall > likely.recall > very.recall
    assert "@" in maybe.target


@pytest.mark.parametrize(
    "text",
    ["", "HAHAHAHAHA!!!!!!!!", ARTICLE.replace("Willemstad", "asdfghjkl")],
    ids=["blanked", "shouted over", "gibberish"],
)
def test_damage_by_a_newcomer_scores_above_good_work_by_a_veteran(text: str) -> None:
    assert score(text=text, user=NEWCOMER, comment="") > 5 * score()


def test_text_over_two_megabytes_is_never_scored() -> None:
    answers = MODEL.score([revision(text="é" * (MAX_TEXT_BYTES // 2 + 1)), revision()])
    assert isinstance(answers[0], Unscored)
    assert answers[0].reason == "text_too_large"
    assert answers[0].is_final
    assert isinstance(answers[1], Prediction)


def test_reasons_say_in_words_what_moved_the_score() -> None:
    damage = revision(text=ARTICLE.replace("<ref>Census 2011</ref>", ""), user=NEWCOMER, comment="")
    reasons = MODEL.explain(damage, most=200)
    assert "removes 1 reference" in {reason.text for reason in reasons}
    sizes = [abs(reason.contribution) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_reasons_add_up_to_the_score() -> None:
    trees = MODEL.artifact.trees
    expected = Paths.of(trees).expected
    for edit in (revision(), revision(text="", user=NEWCOMER)):
        row = MODEL.artifact.rows(vector.extract_all([edit]))[0]
        total = expected + sum(reason.contribution for reason in MODEL.explain(edit, most=200))
        assert total == pytest.approx(trees.margin(row), abs=1e-3)


def test_a_refused_text_has_no_reasons() -> None:
    assert MODEL.explain(revision(text="é" * (MAX_TEXT_BYTES // 2 + 1))) == ()


async def test_predict_answers_in_order() -> None:
    revisions = [revision(), revision(text="", user=NEWCOMER), revision()]
    assert await MODEL.predict(revisions) == MODEL.score(revisions)
    assert await MODEL.predict([]) == []


async def test_only_what_takes_long_has_a_thread_of_its_own() -> None:
    threads: list[int] = []

    class Watched(RevertRisk):
        def score(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
            threads.append(threading.get_ident())
            return super().score(revisions)

    model = Watched(MODEL.artifact)
    short, long = revision(), revision(text="word " * (INLINE_CHARACTERS // 5))
    assert await model.predict([short, long]) == MODEL.score([short, long])
    await model.predict([short])
    assert threads[0] != threading.get_ident() == threads[1]


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"cos\nsystem\n(S'true'\ntR."])
def test_a_file_that_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.npz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="not a model file"):
        RevertRisk.load(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"nowhere\.npz"):
        RevertRisk.load(tmp_path / "nowhere.npz")
