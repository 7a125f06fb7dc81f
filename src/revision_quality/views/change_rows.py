"""Changes out of rows of the table `changes`."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
from sqlalchemy import Boolean, Dialect

from revision_quality.views.bulk import quoted
from revision_quality.views.change import Change, State, UserLevel
from revision_quality.views.tables import changes

FIELDS = Change.__struct_fields__

NO_TAGS = "[]"
_TAGS, _STATE, _USER_LEVEL = map(FIELDS.index, ("tags", "state", "user_level"))
_FLAGS = tuple(n for n, name in enumerate(FIELDS) if isinstance(changes.c[name].type, Boolean))
STATES = {state.value: state for state in State}
USER_LEVELS = {level.value: level for level in UserLevel}


@cache
def columns_sql(dialect: Dialect) -> str:
    """Return the columns of a change as they stand in a SELECT."""
    return ", ".join(quoted((changes.c[name] for name in FIELDS), dialect))


def change_of(values: Sequence[Any]) -> Change:
    """Return the change of a row of these columns, as a driver gives it."""
    fields = list(values)
    for flag in _FLAGS:
        fields[flag] = bool(fields[flag])
    fields[_TAGS] = tags_of(fields[_TAGS])
    fields[_STATE] = STATES[fields[_STATE]]
    fields[_USER_LEVEL] = USER_LEVELS[fields[_USER_LEVEL]]
    return Change(*fields)


def tags_of(text: str) -> tuple[str, ...]:
    """Return the tags that a column holds."""
    return () if text == NO_TAGS else tuple(msgspec.json.decode(text))
