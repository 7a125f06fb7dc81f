"""The phrases of reasons: complete in every language, the same in the extension."""

import json
import re
from pathlib import Path

import pytest

from revision_quality.models import phrases
from revision_quality.models.features.vector import FEATURES
from revision_quality.models.phrases import Numerals, has_phrase, phrase
from revision_quality.models.reasons import Form
from revision_quality.web.interface import Interface, languages

HOME = Path(phrases.__file__).parent / "data/reasons"
COPY = Path(__file__).parents[2] / "extension/RevisionQuality/i18n/reasons"
LANGUAGES = sorted(file.stem for file in HOME.glob("*.json") if file.stem != "qqq")
PLURAL = re.compile(r"\{\{PLURAL:\$2\|([^{}]*)\}\}")
FORMS = {"ar": 6, "ja": 0, "ru": 3}
"""How many plural forms a phrase needs at least: two in the other languages."""


def messages(lang: str) -> dict[str, str]:
    told: dict[str, str] = json.loads((HOME / f"{lang}.json").read_text("utf-8"))
    return {key: text for key, text in told.items() if key != "@metadata"}


def test_the_page_has_reasons_in_all_its_languages() -> None:
    assert set(languages()) <= set(LANGUAGES)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_feature_has_a_phrase_for_every_form(lang: str) -> None:
    for feature in FEATURES:
        forms = [Form.ABOVE, Form.ZERO]
        forms += [Form.BELOW] if feature.low < 0 else []
        forms += [Form.MISSING] if has_phrase(feature.name, Form.MISSING) else []
        for form in forms:
            for size in (0, 0.04, 0.5, 1, 2, 3, 5, 11, 21, 100, 1234):
                text = phrase(feature.name, form, size, lang=lang)
                assert text, (feature.name, form)
                assert not re.search(r"[{}$|]", text), text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_phrase_says_what_the_english_one_does(lang: str) -> None:
    english = messages("en")
    told = messages(lang)
    assert told.keys() == english.keys() == messages("qqq").keys()
    for key, text in told.items():
        shown = [set(re.findall(r"(?<!PLURAL:)\$\d", one)) for one in (text, english[key])]
        assert shown[0] == shown[1], key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_plural_has_the_forms_that_the_language_needs(lang: str) -> None:
    english = messages("en")
    needed = FORMS.get(lang, 2)
    for key, text in messages(lang).items():
        counts = [len(forms.split("|")) for forms in PLURAL.findall(text)]
        assert all(count >= needed for count in counts), key
        if lang in ("ar", "ru"):
            assert len(counts) >= len(PLURAL.findall(english[key])), key


@pytest.mark.parametrize(
    ("lang", "feature", "form", "size", "text"),
    [
        ("ru", "references_change", "below", 1, "удаляет 1 сноску"),
        ("ru", "references_change", "below", 4, "удаляет 4 сноски"),
        ("ru", "references_change", "below", 11, "удаляет 11 сносок"),
        ("ru", "parent_wikilinks", "above", 21, "на странице была 21 ссылка"),
        ("ru", "parent_wikilinks", "above", 22, "на странице было 22 ссылки"),
        ("he", "parent_wikilinks", "above", 1, "בדף היה 1 קישור"),
        ("he", "parent_templates", "above", 2, "בדף היו 2 תבניות"),
        ("ru", "user_age", "above", 1.5, "с учётной записи, созданной 1,5 дня назад"),  # noqa: RUF001
        ("ru", "length_change", "below", 1204, "укорачивает страницу на 1\xa0204 символа"),
        ("ar", "wikilinks_change", "above", 1, "يضيف وصلة واحدة"),
        ("ar", "wikilinks_change", "above", 2, "يضيف وصلتين"),
        ("ar", "wikilinks_change", "above", 3, "يضيف 3 وصلات"),
        ("ar", "wikilinks_change", "above", 100, "يضيف 100 وصلة"),
        ("ja", "wikilinks_change", "above", 1, "リンクを1個追加"),
        ("pt", "user_age", "above", 0.04, "por uma conta com menos de 0,1 dia"),
        ("fr", "removed_share", "above", 0.875, "retire 88\xa0% de la page"),
        ("en", "parent_age", "above", 0.04, "less than 0.1 days after the revision before"),
    ],
)
def test_a_phrase_counts_as_its_language_does(
    lang: str, feature: str, form: str, size: float, text: str
) -> None:
    numerals = Interface(lang).numerals if lang in languages() else Numerals()
    assert phrase(feature, form, size, lang=lang, numerals=numerals) == text


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("de", "von jemandem mit 1.000 oder mehr Bearbeitungen zuvor"),
        ("ar", "من محرر له ما لا يقل عن 1,000 تعديل سابق"),
    ],
)
def test_a_number_that_is_counted_no_further_is_at_least_that(lang: str, text: str) -> None:
    numerals = Interface(lang).numerals
    told = phrase("user_edit_count", "above", 1000, is_limit=True, lang=lang, numerals=numerals)
    assert told == text


def test_what_has_no_phrase_is_told_by_none() -> None:
    assert phrase("of_another_model", "above", 1) is None
    assert phrase("words_added", "below", 1) is None
    assert phrase("words_added", "above", 1, lang="../en") is None
    assert phrase("words_added", "above", 1, lang="eo") is None


def test_the_extension_has_the_phrases_of_the_package() -> None:
    files = {file.name: file.read_bytes() for file in HOME.glob("*.json")}
    copied = {file.name: file.read_bytes() for file in COPY.glob("*.json")}
    assert copied == files, "run python3 scripts/reasons.py"
