import pytest

from revision_quality.recent_changes.wiki_levels import Band, WikiLevels, band
from tests.recent_changes.examples import LEVELS, level


@pytest.mark.parametrize(
    ("wiki_id", "score", "name"),
    [
        ("enwiki", 0.0, "likelygood"),
        ("enwiki", 0.1, None),
        ("enwiki", 0.3, "maybebad"),
        ("enwiki", 0.6, "likelybad"),
        ("enwiki", 0.8999, "likelybad"),
        ("enwiki", 0.9, "verylikelybad"),
        ("enwiki", 1.0, "verylikelybad"),
        ("hewiki", 0.16, "maybebad"),
        ("hewiki", 0.99, "maybebad"),
        ("hewiki", 0.1, "likelygood"),
    ],
)
def test_the_gravest_level_that_holds(wiki_id: str, score: float, name: str | None) -> None:
    found = LEVELS.level_of(wiki_id, score)
    assert (found.name if found else None) == name


def test_without_levels_none_holds() -> None:
    assert WikiLevels(default=()).level_of("enwiki", 0.99) is None


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"maybebad"}, Band(None, 0.3)),
        ({"verylikelybad", "likelybad"}, Band(None, 0.6)),
        ({"likelygood"}, Band(0.1, None)),
        ({"likelygood", "verylikelybad"}, Band(0.1, 0.9)),
        ({"likelybad"}, Band(None, 0.6)),
    ],
)
def test_a_band_covers_all_named_levels(names: set[str], expected: Band) -> None:
    assert band(LEVELS.default, frozenset(names)) == expected


def test_a_level_that_a_wiki_lacks_covers_nothing() -> None:
    assert band((level("maybebad", 0.3),), frozenset({"verylikelybad"})) == Band(None, None)
