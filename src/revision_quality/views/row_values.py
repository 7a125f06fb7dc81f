"""A row of the changes view as the values of its columns, and back."""

from operator import itemgetter

import msgspec
from msgspec.structs import astuple

from revision_quality.views import bulk
from revision_quality.views.change_rows import NO_TAGS, STATES, USER_LEVELS, tags_of
from revision_quality.views.facets import facets_of
from revision_quality.views.row import Row
from revision_quality.views.tables import changes
from revision_quality.views.user_key import user_key_of

_COLUMNS = Row.__struct_fields__
SEQ, TAGS, _USER_LEVEL, DELETED, STATE, WITHHELD = map(
    _COLUMNS.index, ("seq", "tags", "user_level", "deleted", "state", "score_withheld")
)
KEY, FACTS = slice(SEQ), slice(SEQ + 1, None)
PAGE = itemgetter(0, _COLUMNS.index("page_id"))
FACETS = changes.c.keys().index("facets")


def values_of(row: Row, seq: int) -> bulk.Values:
    """Return the values of a row as the table has its columns, with the number of its write."""
    values = list(astuple(row))
    values[SEQ] = seq
    values[TAGS] = msgspec.json.encode(row.tags).decode() if row.tags else NO_TAGS
    # The member's `value` is looked up by code in Python.
    values[STATE] = str.__str__(row.state)
    values[_USER_LEVEL] = str.__str__(row.user_level)
    values += (facets_of(row), user_key_of(row))
    return tuple(values)


def numbered(values: bulk.Values, seq: int) -> bulk.Values:
    """Return the values with another number of their write."""
    new = list(values)
    new[SEQ] = seq
    return tuple(new)


def row_of(values: bulk.Values) -> Row:
    """Return the row that these values are of."""
    fields = list(values[: len(_COLUMNS)])
    fields[TAGS] = tags_of(fields[TAGS])
    fields[STATE] = STATES[fields[STATE]]
    fields[_USER_LEVEL] = USER_LEVELS[fields[_USER_LEVEL]]
    # MariaDB and SQLite have numbers for booleans, which are equal to them.
    return Row(*fields)
