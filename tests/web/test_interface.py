import json
import re
from importlib import resources

import pytest
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
    assert ui.full_time(1_700_000_000).startswith("17:13, ")


def test_a_score_has_a_languages_own_decimal_sign() -> None:
    assert (Interface("en").decimal("0.87"), Interface("de").decimal("0.87")) == ("0.87", "0,87")


@pytest.mark.parametrize(
    ("lang", "percents", "number"),
    [
        ("en", ["0.7 %", "32 %"], "1,234"),
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
