"""The kinds of URL parameters: how each reads its values and writes them back."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from msgspec import Struct
from msgspec.structs import asdict

from revision_quality.recent_changes.cursor import Cursor

MAX_VALUES = 500
"""Values read of one parameter; what follows is refused. Bounds the SQL made from a URL."""

MAX_TAGS = 50

_SHOWN_CHARACTERS = 64

NAMESPACE_KINDS = ("all-contents", "all-discussions")
"""MediaWiki's names for all namespaces of subject pages, and for all of their talk pages: those of
even and of odd numbers (NamespaceInfo::isTalk)."""

Namespace = int | str
"""A number, or one of NAMESPACE_KINDS."""


def in_order(namespaces: Iterable[Namespace]) -> list[Namespace]:
    """Return namespaces in the order of a menu: the kinds, then the numbers."""
    return sorted(namespaces, key=lambda one: (0, 0, one) if isinstance(one, str) else (1, one, ""))


def kind_of(namespace: int) -> str:
    """Return which of NAMESPACE_KINDS a number belongs to."""
    return NAMESPACE_KINDS[namespace % 2]


class Notice(Struct, frozen=True):
    """A value that a parameter does not take, what is allowed, and how the page goes on.

    `kind` is `value`; `unknown` or `not-here` of a parameter that has no meaning here, or none
    without what is not known here; `covers-all` of a group of which everything is selected,
    `opposites` of a toggle that is on together with the one that hides all the rest (`allowed`),
    `subset` of a value that another one takes in (`allowed`). `outcome` is `ignored`, `used` with
    the number that is used instead, or `no-edits`. `allowed` is in English; where it is more than
    a list of values, `rule` names it, for a message in another language.
    """

    parameter: str
    value: str = ""
    allowed: str = ""
    outcome: str = "ignored"
    used: int = 0
    kind: str = "value"
    rule: str = ""

    @property
    def text(self) -> str:
        """What the reader is told."""
        if self.kind != "value":
            return _TEXTS[self.kind].format(**asdict(self))
        outcome = _OUTCOMES[self.outcome].format(used=self.used)
        return (
            f"“{self.value}” is no value of {self.parameter}: {outcome}. Allowed: {self.allowed}."
        )


_OUTCOMES = {
    "ignored": "it is ignored",
    "used": "{used} is used",
    "no-edits": "no edit of it is here",
}

_TEXTS = {
    "unknown": "{parameter} is not known here: it is ignored.",
    "not-here": "{parameter} needs what is not known here ({allowed}): it is ignored.",
    "covers-all": "{parameter}: everything is selected, which restricts nothing.",
    "opposites": "{parameter} and {allowed} would hide everything together: neither is applied.",
    "subset": "{value} is part of {allowed}: choosing it as well adds nothing.",
}


class Parameter(Protocol):
    """A URL parameter that fills one field of Filters."""

    @property
    def name(self) -> str:
        """Its name in the URL."""
        ...

    @property
    def field(self) -> str:
        """The field of Filters."""
        ...

    def read(self, values: Sequence[str]) -> tuple[Any, list[Notice]]:
        """Return the field's value and what could not be read; the last value counts, or all."""
        ...

    def write(self, value: Any) -> str:
        """Return the parameter's text, "" where it is the default."""
        ...


class Choice(Struct, frozen=True):
    """Some of a fixed list, in any case of letters, joined by `;`; none and the empty text mean no
    restriction. So does `all`, where `aliases`, other names of values, has nothing for it.
    """

    name: str
    field: str
    choices: tuple[str, ...]
    aliases: Mapping[str, tuple[str, ...]] = {}

    def read(self, values: Sequence[str]) -> tuple[frozenset[str], list[Notice]]:  # noqa: D102
        parts = _parts(values)
        if parts == ["all"] and "all" not in self.aliases:
            return frozenset(), []
        taken: set[str] = set()
        notices = []
        for part in parts[:MAX_VALUES]:
            meant = self._meant(part.lower())
            taken.update(meant)
            if not meant:
                notices.append(_notice(self.name, part, self.allowed))
        return frozenset(taken), notices

    def write(self, value: frozenset[str]) -> str:  # noqa: D102
        return ";".join(choice for choice in self.choices if choice in value)

    def _meant(self, part: str) -> tuple[str, ...]:
        return self.aliases.get(part) or ((part,) if part in self.choices else ())

    @property
    def allowed(self) -> str:
        """The choices, for a notice."""
        return ", ".join(dict.fromkeys((*self.choices, *self.aliases)))


class Words(Struct, frozen=True):
    """Any words of the characters in `pattern`, joined by `;`."""

    name: str
    field: str
    pattern: str
    allowed: str

    def read(self, values: Sequence[str]) -> tuple[frozenset[str], list[Notice]]:  # noqa: D102
        parts = [part for part in _parts(values) if part != "all"]
        taken = {part for part in parts[:MAX_VALUES] if re.fullmatch(self.pattern, part)}
        refused = [part for part in parts if part not in taken]
        return frozenset(taken), [
            _notice(self.name, part, self.allowed, rule=self.name) for part in refused
        ]

    def write(self, value: frozenset[str]) -> str:  # noqa: D102
        return ";".join(sorted(value))


class Namespaces(Struct, frozen=True):
    """Some namespaces, joined by `;`: numbers of at most nine digits, or one of NAMESPACE_KINDS.

    Those below 0 are MediaWiki's virtual ones, in which there are no edits.
    """

    name: str
    field: str

    allowed = f"namespace numbers such as 0 or 0;1, {' or '.join(NAMESPACE_KINDS)}"

    def read(self, values: Sequence[str]) -> tuple[frozenset[Namespace], list[Notice]]:  # noqa: D102
        pattern = rf"-?[0-9]{{1,9}}|{'|'.join(NAMESPACE_KINDS)}"
        taken, notices = Words(self.name, self.field, pattern, self.allowed).read(values)
        return frozenset(one if one in NAMESPACE_KINDS else int(one) for one in taken), notices

    def write(self, value: frozenset[Namespace]) -> str:  # noqa: D102
        return ";".join(map(str, in_order(value)))


class Flag(Struct, frozen=True):
    """0 or 1; the empty text means 0 and, as in PHP, any other 1."""

    name: str
    field: str

    def read(self, values: Sequence[str]) -> tuple[bool, list[Notice]]:  # noqa: D102
        value = _last(values)
        if value not in {"", "0", "1"}:
            return True, [_notice(self.name, value, "0 or 1", 1, rule="flag")]
        return value == "1", []

    def write(self, value: bool) -> str:  # noqa: D102
        return "1" if value else ""


class Tags(Struct, frozen=True):
    """Some tags of edits, joined by `|` as MediaWiki does."""

    name: str
    field: str

    allowed = "tags of edits, joined by |"

    def read(self, values: Sequence[str]) -> tuple[frozenset[str], list[Notice]]:  # noqa: D102
        parts = (part.strip() for value in values for part in value.split("|"))
        tags = list(dict.fromkeys(part for part in parts if part))
        refused = [_notice(self.name, tag, self.allowed, rule="tags") for tag in tags[MAX_TAGS:]]
        return frozenset(tags[:MAX_TAGS]), refused

    def write(self, value: frozenset[str]) -> str:  # noqa: D102
        return "|".join(sorted(value))


class Since(Struct, frozen=True):
    """A time in UTC as MediaWiki writes it (20081231235959); a shorter one is filled up."""

    name: str
    field: str

    allowed = "a time in UTC such as 20081231235959"

    def read(self, values: Sequence[str]) -> tuple[int | None, list[Notice]]:  # noqa: D102
        text = _last(values)
        digits = re.sub(r"[-T:Z ]", "", text)
        if not digits:
            return None, []
        try:
            filled = digits + "19700101000000"[len(digits) :]
            moment = datetime.strptime(filled, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        except ValueError:
            return None, [_notice(self.name, text, self.allowed, rule="time")]
        if moment.year < 1970:
            return None, [_notice(self.name, text, self.allowed, rule="time")]
        return int(moment.timestamp()), []

    def write(self, value: int | None) -> str:  # noqa: D102
        return "" if value is None else f"{datetime.fromtimestamp(value, UTC):%Y%m%d%H%M%S}"


class One(Struct, frozen=True):
    """One of a fixed list, whose first is the default."""

    name: str
    field: str
    choices: tuple[str, ...]

    @property
    def allowed(self) -> str:
        """The choices, for a notice."""
        return ", ".join(self.choices)

    def read(self, values: Sequence[str]) -> tuple[str, list[Notice]]:  # noqa: D102
        text = _last(values)
        if not text or text in self.choices:
            return text or self.choices[0], []
        return self.choices[0], [_notice(self.name, text, self.allowed)]

    def write(self, value: str) -> str:  # noqa: D102
        return "" if value == self.choices[0] else value


class Integer(Struct, frozen=True):
    """A whole number; beyond its bounds the bound is used."""

    name: str
    field: str
    default: int
    least: int
    most: int

    def read(self, values: Sequence[str]) -> tuple[int, list[Notice]]:  # noqa: D102
        text = _last(values)
        if not text:
            return self.default, []
        allowed = f"a whole number from {self.least} to {self.most}"
        if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
            return self.default, [_notice(self.name, text, allowed, self.default, rule=self.name)]
        number = min(max(int(text), self.least), self.most)
        if number != int(text):
            return number, [_notice(self.name, text, allowed, number, rule=self.name)]
        return number, []

    def write(self, value: int) -> str:  # noqa: D102
        return "" if value == self.default else str(value)


class Days(Struct, frozen=True):
    """A number of days, fractions allowed, above 0."""

    name: str
    field: str
    most: float

    def read(self, values: Sequence[str]) -> tuple[float | None, list[Notice]]:  # noqa: D102
        text = _last(values)
        if not text:
            return None, []
        try:
            days = float(text)
        except ValueError:
            days = math.nan
        if not 0 < days <= self.most:
            allowed = f"a number above 0, at most {self.most:g}"
            return None, [_notice(self.name, text, allowed, rule=self.name)]
        return days, []

    def write(self, value: float | None) -> str:  # noqa: D102
        return "" if value is None else f"{value!r}".removesuffix(".0")


class Position(Struct, frozen=True):
    """A cursor."""

    name: str
    field: str

    def read(self, values: Sequence[str]) -> tuple[Cursor | None, list[Notice]]:  # noqa: D102
        text = _last(values)
        if not text:
            return None, []
        try:
            return Cursor.parse(text), []
        except ValueError:
            allowed = "<timestamp>-<rev_id>-<wiki_id>, as the link to older changes has it"
            return None, [_notice(self.name, text, allowed, rule=self.name)]

    def write(self, value: Cursor | None) -> str:  # noqa: D102
        return "" if value is None else str(value)


def _parts(values: Sequence[str]) -> list[str]:
    parts = (part.strip() for value in values for part in value.split(";"))
    return list(dict.fromkeys(part for part in parts if part))


def _last(values: Sequence[str]) -> str:
    return values[-1].strip() if values else ""


def _notice(
    parameter: str, value: str, allowed: str, used: int | None = None, rule: str = ""
) -> Notice:
    if len(value) > _SHOWN_CHARACTERS:
        value = value[: _SHOWN_CHARACTERS - 1] + "…"
    if used is None:
        return Notice(parameter, value, allowed, rule=rule)
    return Notice(parameter, value, allowed, "used", used, rule=rule)
