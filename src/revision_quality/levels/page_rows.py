"""The edits of pages that have a bearing on the labels of some of them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from revision_quality.levels.edit import Edit
from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels
from revision_quality.wiki.reverts import RADIUS

Page = tuple[str, int]

_PAGE = ("wiki_id", "page_id")
_WHOLE = 300
"""Edits up to which a page is read as a whole."""

MARGIN = 4 * RADIUS
"""Edits before and after those that changed: a label is told by the RADIUS before it and the
2 * RADIUS after, so it changes with those; of as many more their labels are told right."""

_COLUMNS = Edit.__struct_fields__


def read_edits(connection: Connection, keys: Iterable[Key]) -> dict[Key, Edit]:
    """Read edits by their keys."""
    return _by_key(bulk.read(connection, edit_labels, keys))


def read_near(connection: Connection, pages: Mapping[Page, Sequence[int]]) -> dict[Key, Edit]:
    """Read the edits of each page, of long ones those near to the given revisions."""
    lengths = bulk.count_by(connection, edit_labels, pages, _PAGE)
    long = {(wiki_id, page_id) for wiki_id, page_id, length in lengths if length > _WHOLE}
    near = _by_key(bulk.read(connection, edit_labels, pages.keys() - long, by=_PAGE))
    for page in sorted(long):
        near |= _by_key(_around(connection, page, pages[page]))
    return near


def read_pages(connection: Connection, pages: Iterable[Page]) -> dict[Key, Edit]:
    """Read all edits of pages."""
    return _by_key(bulk.read(connection, edit_labels, pages, by=_PAGE))


def by_page(edits: Iterable[Edit]) -> dict[Page, list[Edit]]:
    """Put edits together by their page, in the order of their revisions."""
    pages = defaultdict(list)
    for edit in sorted(edits, key=lambda edit: edit.rev_id):
        pages[edit.wiki_id, edit.page_id].append(edit)
    return pages


def _around(connection: Connection, page: Page, rev_ids: Sequence[int]) -> list[Any]:
    columns = edit_labels.c
    of_page = select(edit_labels).where(columns.wiki_id == page[0], columns.page_id == page[1])
    first, last = min(rev_ids), max(rev_ids)
    parts = (
        of_page.where(columns.rev_id < first).order_by(columns.rev_id.desc()).limit(MARGIN),
        of_page.where(columns.rev_id.between(first, last)),
        of_page.where(columns.rev_id > last).order_by(columns.rev_id).limit(MARGIN),
    )
    return [tuple(row) for part in parts for row in connection.execute(part)]


def _by_key(rows: Iterable[bulk.Values]) -> dict[Key, Edit]:
    edits = map(_edit, rows)
    return {(edit.wiki_id, edit.rev_id): edit for edit in edits}


def _edit(values: bulk.Values) -> Edit:
    # Not strict, because MariaDB and SQLite have numbers for booleans.
    return msgspec.convert(dict(zip(_COLUMNS, values, strict=True)), Edit, strict=False)
