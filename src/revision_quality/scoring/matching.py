"""Which edits a model is asked about: tables over the fields of page_change.

A value of a table is matched exactly; a list means any of its values, a text between slashes is a
regular expression, and `undefined` means that the field is absent. A table within a table speaks
of the fields of an object. Where the event has a list, such as `performer.groups`, one of its
values must match. Several tables mean any of them.

Source: github.com/wikimedia/mediawiki-services-change-propagation, lib/rule.js, whose `match` and
`match_not` these are.
"""

import re
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
from msgspec import Struct

from revision_quality.errors import SettingsError
from revision_quality.events.page_change import PageChange

Wants = Callable[[PageChange], bool]
"""Tells whether a model is asked about an edit."""

Tables = Mapping[str, Any] | Sequence[Mapping[str, Any]]

_Test = Callable[[Any], bool]

_ABSENT = "undefined"
_EXPRESSION = re.compile(r"/(.+)/(i?)", re.DOTALL)


def everything(change: PageChange) -> bool:
    """Want every edit."""
    return True


def wanted(
    match: Tables = (),
    match_not: Tables = (),
    namespaces: Sequence[int] | None = None,
    *,
    place: str = "model",
) -> Wants:
    """Return what holds for the edits that `match` and not `match_not`, in `namespaces`.

    Raises SettingsError for a field that page_change has not and for a wrong expression, naming
    the key; `place` is what the key begins with.
    """
    tables = _as_list(match)
    if namespaces is not None:
        within = {"page": {"namespace_id": list(namespaces)}}
        tests = [_table(within, PageChange, place)]
    else:
        tests = []
    if tables:
        tests.append(_any([_table(table, PageChange, f"{place}.match") for table in tables]))
    unwanted = [_table(table, PageChange, f"{place}.match_not") for table in _as_list(match_not)]
    if not tests and not unwanted:
        return everything
    return lambda change: (
        all(test(change) for test in tests) and not any(test(change) for test in unwanted)
    )


def _as_list(tables: Tables) -> list[Mapping[str, Any]]:
    found = [tables] if isinstance(tables, Mapping) else list(tables)
    return [table for table in found if table]


def _table(table: Mapping[str, Any], kind: Any, place: str) -> _Test:
    tests = [
        (_getter(key, kind, place), _value(value, _kind_of(key, kind), f"{place}.{key}"))
        for key, value in table.items()
    ]
    return lambda found: found is not None and all(test(get(found)) for get, test in tests)


def _value(value: Any, kind: Any, place: str) -> _Test:
    if isinstance(value, Mapping):
        if _struct(kind) is None and _values_of_dict(kind) is None:
            raise SettingsError(f"{place}: is one value in page_change, not a table")
        return _table(value, kind, place)
    if isinstance(value, list | tuple):
        return _any([_value(one, kind, place) for one in value])
    if _struct(kind) is not None and value != _ABSENT:
        raise SettingsError(f"{place}: is an object in page_change: match its fields in a table")
    return partial(_holds, _literal(value, place))


def _literal(value: Any, place: str) -> _Test:
    if value == _ABSENT and isinstance(value, str):
        return lambda found: found is None
    expression = _EXPRESSION.fullmatch(value) if isinstance(value, str) else None
    if expression is None:
        # To Python 1 is true, to the event it is not.
        is_bool = isinstance(value, bool)
        return lambda found: isinstance(found, bool) is is_bool and found == value
    try:
        pattern = re.compile(expression[1], re.IGNORECASE if expression[2] else 0)
    except re.error as error:
        raise SettingsError(f"{place}: {value} is no regular expression ({error})") from error
    return lambda found: found is not None and bool(pattern.search(_text(found)))


def _holds(test: _Test, found: Any) -> bool:
    return any(map(test, found)) if isinstance(found, tuple) else test(found)


def _any(tests: Sequence[_Test]) -> _Test:
    return lambda found: any(test(found) for test in tests)


def _text(found: Any) -> str:
    """Write a value as JavaScript would."""
    if isinstance(found, bool):
        return str(found).lower()
    return found.isoformat() if isinstance(found, datetime) else str(found)


def _getter(key: str, kind: Any, place: str) -> Callable[[Any], Any]:
    struct = _struct(kind)
    if struct is None:
        return lambda found: found.get(key)
    names = dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))
    if key not in names:
        known = ", ".join(sorted(names))
        raise SettingsError(f"{place}.{key}: page_change has no such field; known are {known}")
    return lambda found: getattr(found, names[key])


def _kind_of(key: str, kind: Any) -> Any:
    struct = _struct(kind)
    if struct is None:
        return _values_of_dict(kind)
    return next(
        (field.type for field in msgspec.structs.fields(struct) if field.encode_name == key), None
    )


def _struct(kind: Any) -> type[Struct] | None:
    """Return the Struct that a type is, or that it is where it is not None."""
    for one in _members(kind):
        if isinstance(one, type) and issubclass(one, Struct):
            return one
    return None


def _values_of_dict(kind: Any) -> Any:
    for one in _members(kind):
        if typing.get_origin(one) is dict:
            return typing.get_args(one)[1]
    return None


def _members(kind: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)
