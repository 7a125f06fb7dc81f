from decimal import Decimal

import pytest
from babel import Locale

from revision_quality.models.plurals import plural_form

CATEGORIES = {
    "ar": ("zero", "one", "two", "few", "many", "other"),
    "de": ("one", "other"),
    "en": ("one", "other"),
    "es": ("one", "many", "other"),
    "fr": ("one", "many", "other"),
    "he": ("one", "two", "other"),
    "ja": ("other",),
    "nl": ("one", "other"),
    "pt": ("one", "many", "other"),
    "ru": ("one", "few", "many", "other"),
}


@pytest.mark.parametrize(
    ("lang", "samples"),
    [
        ("ar", {"zero": "0", "one": "1", "two": "2", "few": "3 10 103", "many": "11 99 111",
                "other": "100 101 102 1000 0.1 1.5"}),
        ("de", {"one": "1", "other": "0 2 1.0 0.1"}),
        ("en", {"one": "1", "other": "0 2 1.0 0.1"}),
        ("es", {"one": "1 1.0", "many": "1000000", "other": "0 2 0.1 1000"}),
        ("fr", {"one": "0 1 0.1 1.5", "many": "1000000", "other": "2 1000"}),
        ("he", {"one": "1 0.1", "two": "2", "other": "0 3 1.0 2.0"}),
        ("ja", {"other": "0 1 2 1.5"}),
        ("nl", {"one": "1", "other": "0 2 1.0"}),
        ("pt", {"one": "0 1 0.1 1.5", "many": "1000000", "other": "2 1000"}),
        ("ru", {"one": "1 21 101", "few": "2 4 22 104", "many": "0 5 11 12 14 20 111 1000",
                "other": "0.1 1.0 1.5"}),
    ],
)  # fmt: skip
def test_samples_of_cldr_take_their_form(lang: str, samples: dict[str, str]) -> None:
    told = {
        number: plural_form(lang, number, CATEGORIES[lang])
        for numbers in samples.values()
        for number in numbers.split()
    }
    assert told == {
        number: category for category, numbers in samples.items() for number in numbers.split()
    }


def test_of_forms_left_out_the_last_one_is_taken() -> None:
    assert [plural_form("ru", number, ("день", "дня", "дней")) for number in ("5", "1.5")] == [
        "дней",
        "дней",
    ]
    assert plural_form("he", "2", ("יום", "ימים")) == "ימים"


@pytest.mark.parametrize("lang", sorted(CATEGORIES))
def test_every_number_takes_the_form_of_cldr(lang: str) -> None:
    category = Locale.parse(lang).plural_form
    numbers = [str(n) for n in (*range(1300), 100_000, 1_000_000, 2_000_000)]
    numbers += [f"{n}.{decimal}" for n in range(130) for decimal in range(1, 10)]

    differing = {
        number: told
        for number in numbers
        if (told := plural_form(lang, number, CATEGORIES[lang])) != category(Decimal(number))
    }

    assert differing == {}
