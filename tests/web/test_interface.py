import json
import re
from importlib import resources

import pytest
from babel import Locale
from msgspec.structs import replace

from revision_quality.web.interface import Interface, accepted, direction, languages
from tests.recent_changes.examples import SITE

FOLDER = resources.files("revision_quality.web").joinpath("messages")
ENGLISH = json.loads(FOLDER.joinpath("en.json").read_text("utf-8"))


def test_there_are_languages_of_both_directions() -> None:
    assert len(languages()) >= 8
    assert {direction(lang) for lang in languages()} == {"ltr", "rtl"}


@pytest.mark.parametrize("lang", sorted(languages()))
def test_every_language_has_every_message_with_its_values(lang: str) -> None:
    messages = json.loads(FOLDER.joinpath(f"{lang}.json").read_text("utf-8"))
    assert set(messages) == set(ENGLISH)
    for key, text in messages.items():
        found, expected = (set(re.findall(r"\{\w+\}", one)) for one in (text, ENGLISH[key]))
        assert found == expected, key
    assert len(messages["@months"].split(" ")) == 12


PLURAL = re.compile(r"\{\{PLURAL:(\w+)\|((?:[^{}]|\{\w+\})*)\}\}")
FORMS = {"ar": 6, "he": 3, "ja": 1, "ru": 4}
"""How many plural forms a language needs; two else."""
LIKE_ENGLISH = {
    "de": {"c4", "hidebots", "mark", "nav-status", "saved-name", "wiki"},
    "es": {"error", "hidebots", "wiki"},
    "fr": {"actions", "c4", "diff", "hist", "pages", "wiki"},
    "pt": {"wiki"},
}
UNITS = {"js-seconds", "js-minutes", "js-hours", "js-days", "ns-8"}


@pytest.mark.parametrize("lang", sorted(languages()))
def test_a_plural_has_the_forms_that_the_language_needs(lang: str) -> None:
    for key, text in json.loads(FOLDER.joinpath(f"{lang}.json").read_text("utf-8")).items():
        for number, forms in PLURAL.findall(text):
            assert "{" + number + "}" in text, key
            assert len(forms.split("|")) >= FORMS.get(lang, 2), key
        assert "{{" not in PLURAL.sub("", text), key
        is_said_by_scripts = key.startswith(("js-", "key-")) or key in ("bytes-after", "cancel")
        assert not (is_said_by_scripts and PLURAL.search(text)), key


@pytest.mark.parametrize(
    ("lang", "key", "said"),
    [
        ("en", "group-changes", {1: "1 change", 2: "2 changes", 1234: "1,234 changes"}),
        ("fr", "group-changes", {1: "1 modification", 2: "2 modifications"}),
        ("ru", "group-changes", {2: "2 правки", 5: "5 правок", 21: "21 правка"}),
        ("ru", "days-hours", {6: "последние 6 часов", 1.5: "последние 1,5 часа"}),
        ("ar", "days-days", {2: "آخر يومين", 7: "آخر 7 أيام", 30: "آخر 30 يومًا"}),
        ("ar", "days-hours", {6: "آخر 6 ساعات", 12: "آخر 12 ساعة"}),
        ("he", "days-days", {2: "היומיים האחרונים", 7: "7 הימים האחרונים"}),
        ("ja", "group-changes", {1: "1件の更新", 2: "2件の更新"}),
    ],
)
def test_a_number_takes_its_form(lang: str, key: str, said: dict[float, str]) -> None:
    assert {n: Interface(lang).text(key, n=n) for n in said} == said


@pytest.mark.parametrize("lang", sorted(languages()))
def test_numbers_and_months_are_those_of_cldr(lang: str) -> None:
    ui, cldr = Interface(lang), Locale.parse(lang)
    signs = cldr.number_symbols["latn"]
    assert (ui.numerals.group, ui.numerals.decimal) == (signs["group"], signs["decimal"])
    assert ui.numerals.percent.replace("{n}", "#,##0") == cldr.percent_formats[None].pattern
    assert ui.number(1234) == ("1234" if lang == "es" else f"1{signs['group']}234")
    assert ui.number(12345) == f"12{signs['group']}345"
    assert ui.text("@months").split(" ") == list(cldr.months["format"]["wide"].values())
    assert ui.text("@name") == cldr.get_display_name(lang)
    assert ui.text("@dir") == ("rtl" if cldr.text_direction == "rtl" else "ltr")


@pytest.mark.parametrize("lang", sorted(languages().keys() - {"en"}))
def test_nothing_is_left_in_english_but_what_is_the_same_word(lang: str) -> None:
    messages = json.loads(FOLDER.joinpath(f"{lang}.json").read_text("utf-8"))
    same = {key for key, text in messages.items() if text == ENGLISH[key] and key[0] != "@"}
    assert same - UNITS == LIKE_ENGLISH.get(lang, set())


@pytest.mark.parametrize("lang", sorted(languages()))
def test_no_message_turns_its_direction_itself(lang: str) -> None:
    text = FOLDER.joinpath(f"{lang}.json").read_text("utf-8")
    assert not re.search("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


def test_no_french_line_begins_with_a_sign_of_punctuation() -> None:
    messages = json.loads(FOLDER.joinpath("fr.json").read_text("utf-8"))
    # There the sign is a key.
    del messages["keys-hint"]
    assert [key for key, text in messages.items() if re.search("« | [:;?!»]", text)] == []


def test_a_message_that_a_language_lacks_is_english() -> None:
    assert Interface("xx").text("title") == "Recent changes"
    assert Interface("de").text("js-seconds", n=3) == "3 s"
    with pytest.raises(KeyError):
        Interface("de").text("nothing")


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        ("", []),
        ("de-AT,de;q=0.9,en;q=0.8", ["de-AT", "de", "en"]),
        ("en;q=0.1, fr", ["fr", "en"]),
        ("en;q=0, fr;q=x, *;q=0.5", ["*"]),
    ],
)
def test_what_a_browser_accepts(header: str, codes: list[str]) -> None:
    assert accepted(header) == codes


@pytest.mark.parametrize(
    ("lang", "number", "date"),
    [
        ("en", "\N{MINUS SIGN}12,345", "14 November 2023"),
        ("de", "\N{MINUS SIGN}12.345", "14. November 2023"),
        ("ja", "\N{MINUS SIGN}12,345", "2023年11月14日"),
        ("he", "\N{MINUS SIGN}12,345", "14 בנובמבר 2023"),
    ],
)
def test_numbers_and_dates_are_a_languages_own(lang: str, number: str, date: str) -> None:
    ui = Interface(lang, zone="America/New_York")
    assert ui.signed(-12345) == number
    assert ui.date(ui.moment(1_700_000_000)) == date


@pytest.mark.parametrize(
    ("lang", "moment", "listed"),
    [
        ("en", "22:13, 14 November 2023 (UTC)", "a, b"),
        ("fr", "14 novembre 2023 à 22:13 (UTC)", "a, b"),
        ("ja", "2023年11月14日 22:13 (UTC)", "a、b"),
        ("ar", "22:13، 14 نوفمبر 2023 (UTC)", "a، b"),
    ],
)
def test_moments_and_lists_are_a_languages_own(lang: str, moment: str, listed: str) -> None:
    ui = Interface(lang)
    assert ui.full_time(1_700_000_000) == moment
    assert ui.listed(["a", "b"]) == listed


def test_a_score_has_a_languages_own_decimal_sign() -> None:
    assert (Interface("en").decimal("0.87"), Interface("de").decimal("0.87")) == ("0.87", "0,87")


@pytest.mark.parametrize(
    ("lang", "percents", "number"),
    [
        ("en", ["0.7%", "32%"], "1,234"),
        ("de", ["0,7\xa0%", "32\xa0%"], "1.234"),
        ("ar", ["0.7%", "32%"], "1,234"),
    ],
)
def test_percentages_are_a_languages_own(lang: str, percents: list[str], number: str) -> None:
    ui = Interface(lang)
    assert [ui.percent(0.007), ui.percent(0.32)] == percents
    assert ui.rounded(1234.5) == number


def test_a_page_of_one_wiki_is_in_its_time_zone_unless_the_reader_chose() -> None:
    of_berlin = replace(SITE, zone="Europe/Berlin")
    assert Interface().of_wiki(of_berlin) == Interface(zone="Europe/Berlin", has_zone=True)
    chosen = Interface(zone="Asia/Tokyo", has_zone=True)
    assert chosen.of_wiki(of_berlin) is chosen
    for site in (SITE, None, replace(SITE, zone="Middle/Earth")):
        assert Interface().of_wiki(site) == Interface()
