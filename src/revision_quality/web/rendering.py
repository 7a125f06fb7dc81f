"""Templates to HTML."""

import re
import time
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import unquote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from revision_quality.clock import iso
from revision_quality.recent_changes.filters import MAX_DAYS, MAX_LIMIT
from revision_quality.recent_changes.highlights import Highlight
from revision_quality.recent_changes.parameters import Notice
from revision_quality.recent_changes.presentation import Risk, Row
from revision_quality.web.assets import ASSETS
from revision_quality.web.filter_labels import group_label, highlight_label, value_label
from revision_quality.web.interface import DEFAULT_LANG, Interface
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


def render(template: str, *, ui: Interface, **values: Any) -> str:
    """Return a template's HTML; every value is escaped."""
    return _environment.get_template(template).render(ui=ui, t=ui.text, **values)


@lru_cache(_ROWS_REMEMBERED)
def render_row(row: Row, ui: Interface) -> str:
    """Return a change as a list item."""
    return render("_row.html", ui=ui, row=row)


def render_summary(summary: Summary, ui: Interface) -> str:
    """Return the line of counts."""
    newest = summary.newest_scored
    age = 0 if newest is None else max(0, int(time.time()) - newest)
    return render("_summary.html", ui=ui, summary=summary, age=age)


def render_notice(notice: Notice, ui: Interface) -> str:
    """Return what the reader is told of a parameter."""
    if notice.kind == "covers-all":
        return ui.text("covers-all", group=group_label(notice.parameter, ui))
    if notice.kind == "opposites":
        names = (ui.text(name) for name in (notice.parameter, notice.allowed))
        return ui.text("opposites", **dict(zip(("one", "other"), names, strict=True)))
    if notice.kind == "subset":
        part, whole = (
            value_label(notice.parameter, name, ui) for name in (notice.value, notice.allowed)
        )
        return ui.text("subset", part=part, whole=whole)
    allowed = notice.allowed
    if notice.rule:
        allowed = ui.text(f"takes-{notice.rule}", limit=MAX_LIMIT, days=f"{MAX_DAYS:g}")
    isolated = Markup("<bdi>{}</bdi>").format(allowed)
    values = {
        "parameter": notice.parameter,
        "value": notice.value,
        "outcome": ui.text(f"notice-{notice.outcome}", n=notice.used),
        "allowed": isolated,
        "reason": isolated,
    }
    return escape(ui.text(f"notice-{notice.kind}")).format_map(values)


def by_day(rows: Sequence[Row], ui: Interface) -> list[tuple[str, str, list[Row]]]:
    """Group rows by the day of the edit: its ISO date, its heading, its rows."""
    days = groupby(rows, key=lambda row: ui.moment(row.timestamp).date())
    return [
        (f"{day}", ui.date(datetime(day.year, day.month, day.day, tzinfo=UTC)), list(group))
        for day, group in days
    ]


def by_page(rows: Sequence[Row]) -> list[list[Row]]:
    """Group rows by their page, each group at the place of its first row."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.key.rpartition(":")[0], row.title), []).append(row)
    return list(groups.values())


_NOT_ASCII = re.compile(r"(?:%[89A-F][0-9A-F])+")


def _iri(url: str) -> str:
    """Return an address with the letters beyond ASCII as themselves: a third of the bytes.

    Browsers encode them again. Only whole UTF-8 sequences of letters and marks are decoded.
    """
    return _NOT_ASCII.sub(lambda match: _letters(match[0]), url)


_PARENT = re.compile(r"(\?diff=\d+)&oldid=\d+$")


def _previous(url: str | None) -> str | None:
    """Return the address of a diff without the parent, with which MediaWiki compares by itself."""
    return url and _PARENT.sub(r"\1", url)


_TITLE = re.compile(r"\?title=[^&]+&action=history$")


def _by_page_id(url: str | None, page_id: int) -> str | None:
    """Return the address of a history with the page's number, shorter than its title."""
    return _TITLE.sub(f"?curid={page_id}&action=history", url) if url and page_id else url


def _letters(encoded: str) -> str:
    decoded = unquote(encoded, errors="replace")
    return decoded if all(unicodedata.category(c)[0] in "LM" for c in decoded) else encoded


_SERVER_REASONS = frozenset(("bad_answer", "no_answer", "server_error", "server_unavailable"))
"""Why a remote model gave no score; a patroller need not tell them apart."""


def _why_unscored(risk: Risk, ui: Interface) -> tuple[str, bool]:
    """Return why there is no score, and whether that is in English for lack of a translation.

    An English reader is told the whole sentence, with its numbers.
    """
    if risk.message and ui.lang == DEFAULT_LANG:
        return risk.message, False
    key = f"why-{'model_server' if risk.reason in _SERVER_REASONS else risk.reason}"
    if ui.knows(key):
        return ui.text(key), False
    return risk.message or risk.reason.replace("_", " "), ui.lang != DEFAULT_LANG


def marks_of_all(rows: Sequence[Row]) -> list[Highlight]:
    """Return the highlights of a page's rows: those of the first where all are alike."""
    return sorted({mark for row in rows for mark in row.marks})


def _highlighted(marks: Sequence[Highlight], ui: Interface) -> str:
    return ui.text("highlighted", filters=ui.listed(highlight_label(mark, ui) for mark in marks))


def _headed(diff: str, ui: Interface) -> str:
    """Return a diff's table with what its two sides are."""
    sides = "".join(
        f'<th scope="col" colspan="2" lang="{ui.lang}">{escape(ui.text(side))}</th>'
        for side in ("diff-before", "diff-after")
    )
    return diff.replace("<tbody>", f"<thead><tr>{sides}</tr></thead><tbody>", 1)


_environment.globals["why_unscored"] = _why_unscored
_environment.globals["highlighted"] = _highlighted
_environment.globals["marks_of_all"] = marks_of_all
_environment.globals["render_notice"] = render_notice
_environment.globals["assets"] = ASSETS
_environment.globals["iso"] = iso
_environment.filters["headed"] = _headed
_environment.filters["iri"] = _iri
_environment.filters["by_page_id"] = _by_page_id
_environment.filters["previous"] = _previous
_environment.globals["render_row"] = render_row
_environment.globals["render_summary"] = render_summary
_environment.globals["by_day"] = by_day
_environment.globals["by_page"] = by_page
