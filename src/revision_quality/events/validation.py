"""Whether an event holds to its JSON Schema.

The schemas in `schemas/` are this package's own, one for each title and major version. They ask
for what consumers rely on and allow fields that they do not name, because every minor version of
page_change has added some. Draft 07, as EventGate reads it.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from revision_quality.errors import InvalidEventError

if TYPE_CHECKING:
    import jsonschema_rs

_URI = re.compile(r"/(?P<title>[a-z][a-z0-9_/-]{0,200})/(?P<major>\d{1,4})\.\d{1,6}\.\d{1,6}")
_MOST_VIOLATIONS = 20


class SchemaUri(Struct, frozen=True):
    """What `$schema` says: a title such as `mediawiki/page/change`, and a major version."""

    title: str
    major: int


class Violation(Struct, frozen=True, rename={"data_path": "dataPath", "schema_path": "schemaPath"}):
    """One thing that is wrong, in the words of EventGate's validator (ajv 6).

    `data_path` is such as `.page.page_id`, "" for the event itself.
    """

    keyword: str
    data_path: str
    schema_path: str
    message: str


def parse_schema_uri(uri: object) -> SchemaUri:
    """Read `$schema`. Raises InvalidEventError where it is no relative URI with a version."""
    found = _URI.fullmatch(uri) if isinstance(uri, str) else None
    if found is None:
        raise InvalidEventError(
            "$schema must be a relative URI with a version, such as /mediawiki/page/change/1.2.0"
        )
    return SchemaUri(found["title"], int(found["major"]))


def is_known(uri: SchemaUri) -> bool:
    """Tell whether there is a schema of this title and major version."""
    return uri in _validators()


def violations(uri: SchemaUri, event: object) -> tuple[Violation, ...]:
    """Return what is wrong with an event, nothing if it holds to its schema; at most 20 things.

    `event` is the decoded JSON. Raises InvalidEventError where there is no such schema.
    """
    validator = _validators().get(uri)
    if validator is None:
        raise InvalidEventError(f"there is no schema {uri.title} of major version {uri.major}")
    if validator.is_valid(event):
        return ()
    errors = validator.iter_errors(event)
    return tuple(_violation(error) for error, _ in zip(errors, range(_MOST_VIOLATIONS)))  # noqa: B905


def describe(wrong: tuple[Violation, ...]) -> str:
    """Say in one line what is wrong."""
    return ", ".join(f"'{item.data_path}' {item.message}" for item in wrong)


def _violation(error: "jsonschema_rs.ValidationError") -> Violation:
    schema_path = "/".join(map(str, error.schema_path))
    return Violation(
        keyword=str(error.schema_path[-1]) if error.schema_path else "schema",
        data_path="".join(map(_step, error.instance_path)),
        schema_path=f"#/{schema_path}",
        message=error.message[:500],
    )


def _step(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f".{step}"


@cache
def _validators() -> "Mapping[SchemaUri, jsonschema_rs.Draft7Validator]":
    return MappingProxyType({uri: _validator(schema) for uri, schema in _schemas().items()})


def _validator(schema: Mapping[str, Any]) -> "jsonschema_rs.Draft7Validator":
    # It takes 3 MB, and only who is sent events needs it.
    import jsonschema_rs  # noqa: PLC0415

    return jsonschema_rs.Draft7Validator(dict(schema), validate_formats=True)


@cache
def _schemas() -> Mapping[SchemaUri, Mapping[str, Any]]:
    files = resources.files(__package__).joinpath("schemas").iterdir()
    schemas = [msgspec.json.decode(file.read_bytes()) for file in files]
    return MappingProxyType({_uri_of(schema): schema for schema in schemas})


def _uri_of(schema: Mapping[str, Any]) -> SchemaUri:
    title, _, major = schema["$id"].strip("/").rpartition("/")
    return SchemaUri(title, int(major))
