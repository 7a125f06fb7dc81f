"""Templates to HTML."""

import re
import unicodedata
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined

from revision_quality.recent_changes.presentation import Row
from revision_quality.web.summary import Summary

_environment = Environment(
    loader=PackageLoader(__package__),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)

_ROWS_REMEMBERED = 2000
"""A row that goes out to many readers at once is rendered once."""


def render(template: str, **values: Any) -> str:
    """Return a template's HTML; every value is escaped."""
    return _environment.get_template(template).render(**values)


@lru_cache(_ROWS_REMEMBERED)
def render_row(row: Row) -> str:
    """Return a change as a list item."""
    return render("_row.html", row=row)


def render_summary(summary: Summary) -> str:
    """Return the line of counts."""
    return render("_summary.html", summary=summary)


def by_day(rows: list[Row]) -> list[tuple[str, str, list[Row]]]:
    """Group rows by the day of the edit in UTC: its ISO date, its heading, its rows."""
    days = groupby(rows, key=lambda row: row.moment.date())
    return [(f"{day}", f"{day.day} {day:%B} {day.year}", list(group)) for day, group in days]


def _signed(number: int) -> str:
    """Return a change of size as MediaWiki writes it, with a real minus sign."""
    return f"{number:+,}".replace("-", "\N{MINUS SIGN}") if number else "0"


_NOT_ASCII = re.compile(r"(?:%[89A-F][0-9A-F])+")


def _iri(url: str) -> str:
    """Return an address with the letters beyond ASCII as themselves: a third of the bytes.

    Browsers encode them again. Only whole UTF-8 sequences of letters and marks are decoded.
    """
    return _NOT_ASCII.sub(lambda match: _letters(match[0]), url)


def _letters(encoded: str) -> str:
    decoded = unquote(encoded, errors="replace")
    return decoded if all(unicodedata.category(c)[0] in "LM" for c in decoded) else encoded


def _iso(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _full_time(timestamp: int) -> str:
    moment = datetime.fromtimestamp(timestamp, UTC)
    return f"{moment:%H:%M}, {moment.day} {moment:%B} {moment.year} (UTC)"


_environment.globals["iso"] = _iso
_environment.globals["full_time"] = _full_time
_environment.filters["iri"] = _iri
_environment.filters["signed"] = _signed
_environment.globals["render_row"] = render_row
_environment.globals["render_summary"] = render_summary
_environment.globals["by_day"] = by_day
