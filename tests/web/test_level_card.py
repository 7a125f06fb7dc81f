import pytest

from revision_quality.levels.level import Level, MeasuredLevel
from revision_quality.web.interface import Interface
from revision_quality.web.level_card import describe

ENGLISH = Interface()


@pytest.mark.parametrize(
    ("precision", "words"),
    [
        (0.45, "about 4 of 10 of them get reverted"),
        (0.81, "about 8 of 10 of them get reverted"),
        (0.02, "about 2 of 100 of them get reverted"),
        (0.004, "about 4 of 1,000 of them get reverted"),
        (1.0, "about all of them get reverted"),
        (0.0, "about none of them get reverted"),
    ],
)
def test_precision_is_told_in_whole_numbers(precision: float, words: str) -> None:
    assert words in describe(level("likelybad", precision), ENGLISH)


def test_what_a_level_costs_and_finds() -> None:
    assert describe(level("likelybad", 0.5), ENGLISH) == (
        "3.4% of edits; about 5 of 10 of them get reverted; finds 62% of what gets reverted"
    )


def test_good_edits_stay() -> None:
    assert (
        describe(level("likelygood", 0.994), ENGLISH)
        == "3.4% of edits; about 99 of 100 of them stay"
    )


def test_a_level_of_the_wiki_says_how_many_a_day_and_where_the_precision_will_be() -> None:
    measured = MeasuredLevel(
        name="likelybad",
        threshold=0.5,
        precision=0.5,
        recall=0.62,
        flag_rate=0.034,
        target="",
        low=0.4,
        high=0.63,
        recall_low=0.5,
        recall_high=0.7,
        false_positive_rate=0.02,
        edits_a_day=7.25,
        reverted=120,
    )
    assert describe(measured, ENGLISH) == (
        "3.4% of edits, 7.2 a day; about 5 of 10 of them get reverted (40% to 63%); "
        "finds 62% of what gets reverted"
    )


@pytest.mark.parametrize(
    ("lang", "name", "words"),
    [
        (
            "ru",
            "likelybad",
            "3,4\xa0% правок; отменяют: около 8 из 10; находит 62\xa0% отменяемого",
        ),
        ("ru", "likelygood", "3,4\xa0% правок; остаются: около 8 из 10"),
        ("ar", "likelybad", "3.4% من التعديلات؛ المسترجع منها: نحو 8 من كل 10؛ يجد 62% مما يُسترجع"),
        ("ja", "likelygood", "編集の3.4%。うち残る編集：10件中約8件"),  # noqa: RUF001
    ],
)
def test_a_level_is_described_in_the_readers_language(lang: str, name: str, words: str) -> None:
    assert describe(level(name, 0.81), Interface(lang)) == words


def level(name: str, precision: float) -> Level:
    return Level(
        name=name, threshold=0.5, precision=precision, recall=0.62, flag_rate=0.034, target=""
    )
