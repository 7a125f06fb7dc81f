"""What reasons are called, in each language.

The phrases are messages of MediaWiki, in `data/reasons/`: this is their home, and the extension's
`i18n/reasons/` a copy (`scripts/reasons.py`).
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

from msgspec import Struct

from revision_quality.models.plurals import plural_form

ENGLISH = "en"

_PREFIX = "revisionquality-reason-"
_PLURAL = re.compile(r"\{\{PLURAL:\$2\|([^{}]*)\}\}")
_LARGE, _LEAST = 100, 0.1


class Numerals(Struct, frozen=True):
    """How numbers are written: what groups thousands, the decimal sign, `{n}` as a percentage.

    Thousands are apart from `grouped_from` digits on, those before the decimal sign.
    """

    group: str = ","
    decimal: str = "."
    percent: str = "{n}%"
    grouped_from: int = 4

    def write(self, number: str) -> str:
        """Return a number such as "1,234.5" in this way."""
        if sum(map(str.isdigit, number.partition(".")[0])) < self.grouped_from:
            number = number.replace(",", "")
        signs = {",": self.group, ".": self.decimal}
        return "".join(signs.get(sign, sign) for sign in number)


def has_phrase(feature: str, form: str, lang: str = ENGLISH) -> bool:
    """Tell whether a feature has a phrase in a form."""
    return _key(feature, form) in _messages(lang)


def phrase(
    feature: str,
    form: str,
    size: float,
    *,
    is_limit: bool = False,
    lang: str = ENGLISH,
    numerals: Numerals | None = None,
) -> str | None:
    """Return how a reason reads in a language, None where it has no phrase for it.

    `size` is the value without its sign; `is_limit` says that it is counted no further.
    """
    messages = _messages(lang)
    pattern = messages.get(_key(feature, form))
    if pattern is None:
        return None
    numerals = numerals or Numerals()
    is_tiny = 0 < size < _LEAST
    number = _shown(_LEAST if is_tiny else size)
    text = _PLURAL.sub(
        lambda found: plural_form(lang, number.replace(",", ""), tuple(found[1].split("|"))),
        pattern,
    )
    written = numerals.write(number)
    if is_limit or is_tiny:
        bound = "at-least" if is_limit else "less-than"
        written = messages[_PREFIX + bound].replace("$1", written)
    percent = numerals.percent.replace("{n}", f"{size:.0%}"[:-1])
    return text.replace("$1", written).replace("$3", percent)


def _key(feature: str, form: str) -> str:
    return f"{_PREFIX}{feature.replace('_', '-')}-{form}"


def _shown(size: float) -> str:
    return f"{size:,.0f}" if size >= _LARGE or size == int(size) else f"{size:,.1f}"


@cache
def _messages(lang: str) -> Mapping[str, str]:
    if not lang.isalpha():
        return {}
    file = resources.files(__package__) / "data" / "reasons" / f"{lang}.json"
    messages: dict[str, str] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return messages
