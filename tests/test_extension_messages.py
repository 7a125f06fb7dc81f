"""What the MediaWiki extension says: whole in each language, in the words of the page."""

import json
import re
from pathlib import Path

import pytest

from revision_quality.web.interface import Interface, languages

EXTENSION = Path(__file__).parents[1] / "extension/RevisionQuality"
FOLDER = EXTENSION / "i18n"
LANGUAGES = sorted(file.stem for file in FOLDER.glob("*.json") if file.stem != "qqq")
PREFIX = "revisionquality-"
AS_ON_THE_PAGE = {
    "filters-title": "risk",
    "level-likelygood": "level-likelygood",
    "level-maybebad": "level-maybebad",
    "level-likelybad": "level-likelybad",
    "level-verylikelybad": "level-verylikelybad",
    "level-unscored": "state-pending",
}
WITH_THE_TITLE = ("filters-conflicts-logactions-global", "filters-logactions-conflicts", "badge",
                  "badge-none", "badge-unscored")  # fmt: skip


def messages(lang: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((FOLDER / f"{lang}.json").read_text("utf-8"))
    return {key: text for key, text in told.items() if key != "@metadata"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_language_has_every_message_with_its_values(lang: str) -> None:
    told, english = messages(lang), messages("en")
    assert told.keys() == english.keys() == messages("qqq").keys()
    for key, text in told.items():
        assert set(re.findall(r"\$\d", text)) == set(re.findall(r"\$\d", english[key])), key
        assert lang == "en" or text != english[key], key


@pytest.mark.parametrize("lang", sorted(languages()))
def test_it_is_called_as_on_the_page(lang: str) -> None:
    told, page = messages(lang), Interface(lang)
    assert {key: told[PREFIX + key] for key in AS_ON_THE_PAGE} == {
        key: page.text(ours) for key, ours in AS_ON_THE_PAGE.items()
    }


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_group_of_filters_has_one_name(lang: str) -> None:
    told = messages(lang)
    title = told[PREFIX + "filters-title"]
    for key in WITH_THE_TITLE:
        assert title in told[PREFIX + key], key


def test_every_message_is_explained_to_translators() -> None:
    for folder in (FOLDER, FOLDER / "api", FOLDER / "reasons"):
        explained = json.loads((folder / "qqq.json").read_text("utf-8"))
        english = json.loads((folder / "en.json").read_text("utf-8"))
        assert explained.keys() == english.keys()
        assert all(text for text in explained.values())


def test_every_message_that_the_code_names_is_there() -> None:
    told = set(messages("en"))
    for folder in ("api", "reasons"):
        told |= json.loads((FOLDER / folder / "en.json").read_text("utf-8")).keys()
    code = "".join(
        file.read_text("utf-8")
        for file in (*EXTENSION.glob("src/*.php"), *EXTENSION.glob("modules/*.js"))
    )
    named = set(re.findall(r"'((?:apihelp-)?revisionquality-[a-z0-9-]*[a-z0-9])'", code))
    assert named
    assert named - {"revisionquality-show"} <= told
