"""Levels chosen on counted edits: own ones, pooled ones, and those that are not offered."""

import numpy as np
import pytest

from revision_quality.levels import pooling
from revision_quality.levels.choosing import BY_HAND, Choice, Evidence, choose, grouped
from revision_quality.levels.counts import KINDS, Counts, Label, count, total
from revision_quality.levels.pooling import Profile, profile_of, unlikeness
from revision_quality.levels.target import DEFAULT_TARGETS, parse_target

TARGETS = {name: parse_target(text) for name, text in DEFAULT_TARGETS.items()}


def days(number: int, edits: int, *, seed: int = 1, bias: float = 1.0) -> list[Counts]:
    """Days of a calibrated model: a score is the share of such edits that gets reverted."""
    random = np.random.default_rng(seed)
    counted = []
    for _ in range(number):
        scores = random.beta(0.25, 1.5, edits)
        labels = (random.random(edits) < scores * bias).astype(int)
        counted.append(count(scores, labels, random.integers(0, len(KINDS), edits)))
    return counted


def profile(counted: Counts) -> Profile:
    return profile_of(counted.mass.sum((0, 1)), counted.number(Label.REVERTED))


def gather(wiki_id: str, wikis: dict[str, list[Counts]]) -> Evidence | str:
    totals = {name: total(each) for name, each in wikis.items()}
    others = {name: profile(each) for name, each in totals.items()}
    return pooling.gather(wiki_id, wikis[wiki_id], lambda: others, totals.__getitem__)


def chosen(wiki_id: str, wikis: dict[str, list[Counts]]) -> Choice:
    evidence = gather(wiki_id, wikis)
    assert not isinstance(evidence, str), evidence
    return choose(TARGETS, evidence)


def test_a_wiki_with_enough_edits_has_levels_of_its_own():
    choice = chosen("awiki", {"awiki": days(56, 400), "bwiki": days(56, 400, bias=0.1)})
    assert [level.name for level in choice.levels] == list(DEFAULT_TARGETS)
    thresholds = [level.threshold for level in choice.levels]
    assert thresholds == sorted(thresholds)
    for level in choice.levels:
        assert level.pooled == ()
        assert level.low < level.precision < level.high
        assert level.recall_low < level.recall < level.recall_high
        assert level.edits_a_day == pytest.approx(level.flag_rate * 400, abs=0.1)
        assert [each.kind for each in level.kinds] == list(KINDS)
    likely = choice.levels[2]
    assert (likely.precision, likely.target) == (
        pytest.approx(0.45, abs=0.02),
        TARGETS["likelybad"].text,
    )
    assert choice.withheld == ()


def test_a_level_tells_whose_edits_it_holds_for_and_how_often_for_kept_ones():
    random = np.random.default_rng(3)
    scores = random.beta(0.25, 1.5, (56, 400))
    labels = (random.random(scores.shape) < scores).astype(int)
    kinds = np.where(random.random(scores.shape) < scores, 0, KINDS.index("experienced"))
    counted = [count(*day) for day in zip(scores, labels, kinds, strict=True)]

    for level in chosen("awiki", {"awiki": counted}).levels:
        above = scores >= level.threshold
        holds = ~above if level.name == "likelygood" else above
        for told in level.kinds:
            of_kind = kinds == KINDS.index(told.kind)
            kept = of_kind & (labels == Label.KEPT)
            assert told.edits == of_kind.sum()
            assert told.flag_rate == pytest.approx(holds[of_kind].mean(), abs=1e-4)
            assert told.false_positive_rate == pytest.approx(holds[kept].mean(), abs=1e-4)


def test_a_small_wiki_borrows_from_those_most_like_it_and_says_so():
    wikis = {f"w{number}": days(56, 60, seed=number) for number in range(6)}
    wikis["other"] = [count(np.full(60, 0.999), [1] * 30 + [0] * 30, [0] * 60) for _ in range(56)]
    choice = chosen("small", {"small": days(56, 2), **wikis})
    assert choice.levels
    for level in choice.levels:
        assert len(level.pooled) == 4
        assert "other" not in level.pooled


def test_with_too_few_edits_anywhere_nothing_is_offered():
    found = gather("awiki", {"awiki": days(3, 20), "bwiki": days(3, 20)})
    assert isinstance(found, str)
    assert "reverted edits of awiki have a settled label, 100 are needed" in found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("flag_rate <= 0.0005", "of the edits that it would hold for were reverted, 15 are needed"),
        ("flag_rate <= 0.00001", "no threshold reaches flag_rate <= 0.00001 here"),
    ],
)
def test_a_level_without_a_solution_says_why(text, reason):
    evidence = gather("awiki", {"awiki": days(56, 400)})
    assert not isinstance(evidence, str)
    choice = choose({"verylikelybad": parse_target(text)}, evidence)
    assert choice.levels == ()
    [withheld] = choice.withheld
    assert reason in withheld.reason


def test_a_milder_level_holds_wherever_a_graver_one_does():
    evidence = gather("awiki", {"awiki": days(56, 400)})
    assert not isinstance(evidence, str)
    mild, grave = parse_target("recall >= 0.3"), parse_target("recall >= 0.9")
    choice = choose({"maybebad": mild, "likelybad": grave}, evidence)
    assert len({level.threshold for level in choice.levels}) == 1
    strict = {"maybebad": parse_target("flag_rate <= 0.01"), "likelybad": grave}
    [withheld] = choose(strict, evidence).withheld
    assert withheld.reason == "it would be stricter than likelybad, which is meant to be graver"


def test_a_level_whose_precision_swings_is_not_offered():
    calm, wild = days(28, 400), days(28, 400, bias=0.02)
    evidence = gather("awiki", {"awiki": [*calm, *wild] * 2})
    assert not isinstance(evidence, str)
    choice = choose({"likelybad": TARGETS["likelybad"]}, evidence)
    assert [each.reason for each in choice.withheld] == [
        "its precision differs too much from one period to the next to be told"
    ]


def test_periods_hold_as_many_edits_each_and_lose_none():
    wanted = days(56, 50)
    periods = grouped(wanted, 8)
    assert [period.number(*Label) for period in periods] == [350] * 8
    assert np.array_equal(total(periods).mass, total(wanted).mass)
    assert grouped([]) == ()


def test_likeness_is_that_of_the_scores():
    one, same = (profile(total(days(20, 100, seed=seed))) for seed in (1, 2))
    other = profile(count([0.9] * 50, [0] * 50, [0] * 50))
    assert unlikeness(one, one) == 0
    assert unlikeness(one, same) < unlikeness(one, other)


def test_a_level_set_by_hand_is_measured_and_offered_whatever_it_does():
    evidence = gather("awiki", {"awiki": days(56, 400)})
    assert not isinstance(evidence, str)
    levels = {
        level.name: level for level in choose(TARGETS, evidence, fixed={"likelybad": 0.123}).levels
    }
    assert (levels["likelybad"].threshold, levels["likelybad"].target) == (0.123, BY_HAND)
    assert levels["likelybad"].precision < 0.45
    assert levels["maybebad"].threshold <= 0.123
    assert choose(TARGETS, evidence, fixed={"verylikelybad": 0.999}).levels[-1].threshold == 0.999
