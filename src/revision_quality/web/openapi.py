"""The document of the HTTP API (OpenAPI 3.1) and the page that shows it.

Both are made from the operations' table; the schemas are those of the types that are sent.
"""

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from itertools import groupby
from typing import Any, get_args

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from revision_quality import __version__
from revision_quality.web.interface import Interface
from revision_quality.web.json_answers import json_answer
from revision_quality.web.operation import Content, Operation, Parameter, Reply, routes
from revision_quality.web.rendering import render

Json = dict[str, Any]

_SCHEMAS = "#/components/schemas/{name}"

DOCUMENT = Operation(
    id="openapi",
    method="GET",
    path="/openapi.json",
    tag="Documentation",
    summary="Describe this API",
    replies={200: Reply("An OpenAPI 3.1 document.", Content(kinds=(Json,)))},
)
PAGE = Operation(
    id="docs",
    method="GET",
    path="/docs",
    tag="Documentation",
    summary="Show this API",
    replies={200: Reply("The page.", Content(kinds=(str,), media_type="text/html"))},
)
OPERATIONS = (DOCUMENT, PAGE)


class Documentation:
    """The handlers, for the operations that an application has beside its own."""

    def __init__(self, operations: Iterable[Operation], interface: Interface | None = None) -> None:
        self.operations = (*operations, *OPERATIONS)
        self._interface = interface or Interface()
        self._document = document(self.operations)

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return [*routes(DOCUMENT, self.document), *routes(PAGE, self.page)]

    async def document(self, request: Request) -> Response:
        """Answer with the document."""
        return json_answer(self._document)

    async def page(self, request: Request) -> Response:
        """Answer with the page."""
        return HTMLResponse(self._html, headers={"Cache-Control": "no-cache"})

    @property
    def _html(self) -> str:
        by_tag = groupby(self.operations, key=lambda operation: operation.tag)
        return render(
            "docs.html",
            ui=self._interface,
            version=__version__,
            tags=[(tag, list(operations)) for tag, operations in by_tag],
            names=_names,
            phrase=lambda status: HTTPStatus(status).phrase,
            pretty=_pretty,
            schemas=self._document["components"]["schemas"],
        )


def document(operations: Sequence[Operation]) -> Json:
    """Return the OpenAPI 3.1 document of some operations."""
    kinds = [kind for content in _contents(operations) for kind in content.kinds]
    kinds += [parameter.kind for operation in operations for parameter in operation.parameters]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_SCHEMAS)
    schema_of = {repr(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, Json] = {}
    for operation in operations:
        path = paths.setdefault(operation.template, {})
        path[operation.method.lower()] = _operation(operation, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Revision Quality",
            "version": __version__,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": tag} for tag in dict.fromkeys(item.tag for item in operations)],
        "paths": paths,
        "components": {"schemas": components},
    }


def _contents(operations: Iterable[Operation]) -> Iterable[Content]:
    for operation in operations:
        if operation.body:
            yield operation.body
        for reply in operation.replies.values():
            if reply.content:
                yield reply.content


def _operation(operation: Operation, schema_of: Json) -> Json:
    found: Json = {
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": operation.summary,
        "responses": {
            str(status): {"description": reply.description, **_content(reply.content, schema_of)}
            for status, reply in operation.replies.items()
        },
    }
    if operation.description:
        found["description"] = operation.description
    if operation.parameters:
        found["parameters"] = [_parameter(item, schema_of) for item in operation.parameters]
    if operation.body:
        found["requestBody"] = {"required": True, **_content(operation.body, schema_of)}
    return found


def _parameter(parameter: Parameter, schema_of: Json) -> Json:
    found: Json = {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": schema_of[repr(parameter.kind)],
    }
    if parameter.example is not None:
        found["example"] = parameter.example
    return found


def _content(content: Content | None, schema_of: Json) -> Json:
    if content is None:
        return {}
    schemas = [schema_of[repr(kind)] for kind in content.kinds]
    media: Json = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if not schemas:
        media = {"schema": {}}
    if content.examples:
        media["examples"] = {
            name.replace(" ", "_"): {"summary": name, "value": value}
            for name, value in content.examples.items()
        }
    return {"content": {content.media_type: media}}


def _names(content: Content | None) -> list[str]:
    """Return the names of the schemas that a body holds to."""
    kinds = content.kinds if content else ()
    parts = [part for kind in kinds for part in (kind, *get_args(kind))]
    return [part.__name__ for part in parts if isinstance(part, type) and issubclass(part, Struct)]


def _pretty(value: Any) -> str:
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
