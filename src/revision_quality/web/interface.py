"""The language of the page itself, apart from those of the wikis shown."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import cache
from hashlib import blake2b
from importlib import resources
from typing import Literal
from urllib.parse import unquote
from zoneinfo import ZoneInfo, available_timezones

from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request

from revision_quality.models.phrases import Numerals
from revision_quality.models.plurals import plural_form
from revision_quality.sites import Site

DEFAULT_LANG = "en"
LANG_COOKIE, ZONE_COOKIE = "revq_lang", "revq_zone"

ZONE_CHARACTERS = 64
"""Kept of the name of a time zone; the longest one has 32."""

_FOLDER = "messages"
_PLURAL = re.compile(r"\{\{PLURAL:(\w+)\|((?:[^{}]|\{\w+\})*)\}\}")


class Interface(Struct, frozen=True):
    """`lang` is a BCP 47 code, `dir` the direction of the layout, `zone` an IANA time zone.

    `has_zone` says that it is the reader's or the wiki's; else scripts take that of the device. A
    message that a language lacks is in English.
    """

    lang: str = DEFAULT_LANG
    dir: Literal["ltr", "rtl"] = "ltr"
    zone: str = "UTC"
    has_zone: bool = False

    def text(self, key: str, /, **values: object) -> str:
        """Return a message with its values. Raises KeyError for one that English lacks.

        Numbers are written as the language does; `{{PLURAL:n|change|changes}}` is the form for the
        number `n`, in the order of the language's CLDR categories.
        """
        own = _messages(self.lang).get(key)
        lang = self.lang if own else DEFAULT_LANG
        text = _PLURAL.sub(
            lambda found: plural_form(lang, _plain(values[found[1]]), tuple(found[2].split("|"))),
            own or _messages(DEFAULT_LANG)[key],
        )
        for name, value in values.items():
            is_number = isinstance(value, int | float)
            written = self.numerals.write(_grouped(value)) if is_number else str(value)
            text = text.replace("{" + name + "}", written)
        return text

    def knows(self, key: str) -> bool:
        """Tell whether there is such a message."""
        return key in _messages(DEFAULT_LANG)

    def number(self, number: int) -> str:
        """Return a whole number with its thousands apart."""
        return self.numerals.write(_grouped(number))

    def decimal(self, number: str) -> str:
        """Return a number such as 0.87 with this language's decimal sign."""
        return number.replace(".", self.text("@decimal"))

    def rounded(self, number: float) -> str:
        """Return a number above 0: a whole one from 10 on, else with one decimal."""
        return self.numerals.write(f"{number:,.0f}" if number >= 10 else f"{number:.1f}")

    def percent(self, share: float) -> str:
        """Return a share, 0 to 1, as a percentage."""
        return self.numerals.percent.replace("{n}", self.rounded(share * 100))

    @property
    def numerals(self) -> Numerals:
        """How this language writes numbers."""
        return _numerals(self.lang)

    def of_wiki(self, site: Site | None) -> "Interface":
        """Return the interface of a page of one wiki: in its time zone, unless the reader chose."""
        zone = site.zone if site else ""
        return (
            self if self.has_zone or not is_zone(zone) else replace(self, zone=zone, has_zone=True)
        )

    def signed(self, number: int) -> str:
        """Return a change of size as MediaWiki writes it, with a real minus sign."""
        sign = "+" if number > 0 else "\N{MINUS SIGN}" if number else ""
        return sign + self.number(abs(number))

    def moment(self, timestamp: int) -> datetime:
        """Return a time, given in Unix seconds, in this time zone."""
        return datetime.fromtimestamp(timestamp, _zone(self.zone))

    def date(self, moment: datetime) -> str:
        """Return a day in words."""
        month = self.text("@months").split(" ")[moment.month - 1]
        return self.text("@date", day=f"{moment.day}", month=month, year=f"{moment.year}")

    def full_time(self, timestamp: int) -> str:
        """Return a time with its day and its zone."""
        moment = self.moment(timestamp)
        date = self.date(moment)
        return self.text("@moment", time=f"{moment:%H:%M}", date=date, zone=self.zone)

    def listed(self, texts: Iterable[str]) -> str:
        """Return texts one after the other, with this language's comma between."""
        return self.text("@comma").join(texts)

    @property
    def script_messages_version(self) -> str:
        """What changes with the messages that scripts say."""
        return _script_messages_version(self.lang)

    @property
    def script_messages(self) -> dict[str, str]:
        """The messages that the page's scripts say."""
        english = _messages(DEFAULT_LANG)
        texts = {key[3:]: self.text(key) for key in english if key.startswith("js-")}
        texts["cancel"] = self.text("cancel")
        return texts | {key: self.text(key) for key in english if key.startswith("key-")}


@cache
def _numerals(lang: str) -> Numerals:
    text = Interface(lang).text
    return Numerals(text("@group"), text("@decimal"), text("@percent"), int(text("@grouped-from")))


def _grouped(number: object) -> str:
    """Return a number as English does, with two decimals at most: "1,234.5"."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.2f}".rstrip("0").rstrip(".")


def _plain(number: object) -> str:
    return _grouped(number).replace(",", "")


@cache
def _script_messages_version(lang: str) -> str:
    said = json.dumps(Interface(lang).script_messages, ensure_ascii=False)
    return blake2b(said.encode(), digest_size=4).hexdigest()


@cache
def languages() -> Mapping[str, str]:
    """Return the names of the languages that there are messages in, in themselves, by code."""
    folder = resources.files(__package__).joinpath(_FOLDER)
    codes = sorted(file.name.removesuffix(".json") for file in folder.iterdir())
    return {code: _messages(code)["@name"] for code in codes if _messages(code)}


def interface_of(request: Request, default: Interface) -> Interface:
    """Return the interface that a reader wants.

    The language is that of `?uselang=`, of the reader's preference (a cookie), of the browser
    (Accept-Language), or the default's; the time zone is the preference's, that of the device where
    a script tells it (`Time-Zone`), or the default's.
    """
    zones = (wanted_zone(request), request.headers.get("time-zone", ""))
    known = next(filter(is_zone, zones), None)
    zone, has_zone = known or default.zone, known is not None
    lang = _known(request.query_params.get("uselang", "")) or _preferred(request)
    if lang is None:
        return Interface(default.lang, default.dir, zone, has_zone)
    return Interface(lang, direction(lang), zone, has_zone)


def wanted_zone(request: Request) -> str:
    """Return the time zone of a reader's preference, which may be none; "" without a preference."""
    return unquote(request.cookies.get(ZONE_COOKIE, ""))[:ZONE_CHARACTERS]


def kept_language(request: Request, default: Interface) -> str:
    """Return the language that links have to ask for again, "" where the reader gets it anyway."""
    asked = _known(request.query_params.get("uselang", ""))
    return asked if asked and asked != (_preferred(request) or default.lang) else ""


def _preferred(request: Request) -> str | None:
    wanted = accepted(request.headers.get("accept-language", ""))
    wanted = [request.cookies.get(LANG_COOKIE, ""), *wanted]
    return next((known for code in wanted if (known := _known(code))), None)


def accepted(header: str) -> list[str]:
    """Return the codes of an Accept-Language header, the most wanted first (RFC 9110, 12.5.4)."""
    weighted = []
    for part in header[:1000].split(","):
        code, _, weight = part.strip().partition(";q=")
        try:
            share = float(weight or 1)
        except ValueError:
            continue
        if code and share > 0:
            weighted.append((-share, code))
    return [code for _, code in sorted(weighted, key=lambda pair: pair[0])]


def direction(lang: str) -> Literal["ltr", "rtl"]:
    """Return the direction in which a language of the interface is written."""
    return "rtl" if _messages(lang).get("@dir") == "rtl" else "ltr"


def is_language(code: str) -> bool:
    """Tell whether there are messages in a language."""
    return code in languages()


def _known(code: str) -> str | None:
    """Return the language of the interface for a code such as `pt-BR`."""
    code = code.lower()
    base = code.partition("-")[0]
    return next((one for one in (code, base) if one and is_language(one)), None)


@cache
def _messages(lang: str) -> Mapping[str, str]:
    if not lang.replace("-", "").isalnum():
        return {}
    file = resources.files(__package__).joinpath(_FOLDER, f"{lang}.json")
    messages: dict[str, str] = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    return messages


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Tell whether a time zone of that name is known here."""
    return name in _zones()


@cache
def _zone(name: str) -> tzinfo:
    return UTC if name == "UTC" else ZoneInfo(name)
