"""The API's document says what the application does."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import pytest
import pytest_asyncio
from starlette.routing import Mount, Route

from revision_quality.web.operation import Operation
from revision_quality.web.page_operations import OPERATIONS
from tests.events.examples import page_change
from tests.recent_changes.examples import change as row
from tests.web.api_house import LIFT_WING, ApiHouse, ExplainingFake, api_house
from tests.web.conftest import WritableView
from tests.web.test_lift_wing import DATA


@pytest_asyncio.fixture(loop_scope="session")
async def house(tmp_path: Path, view: WritableView) -> AsyncIterator[ApiHouse]:
    async with api_house(tmp_path, view, ExplainingFake()) as opened:
        yield opened


@pytest_asyncio.fixture(loop_scope="session")
async def document(house: ApiHouse) -> dict[str, Any]:
    found: dict[str, Any] = (await house.get("/openapi.json")).json()
    return found


def template(path: str) -> str:
    return (
        Operation(id="", method="GET", path=path, tag="", summary="", replies={}).template.rstrip(
            "/"
        )
        or "/"
    )


async def test_every_route_is_in_the_document_and_nothing_else(
    house: ApiHouse, document: dict[str, Any]
) -> None:
    served = {
        (template(route.path), method)
        for route in house.app.routes
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD", "OPTIONS"}
    }
    documented = {
        (template(path), method.upper())
        for path, methods in document["paths"].items()
        for method in methods
    }
    assert documented == served
    mounts = [route.path for route in house.app.routes if isinstance(route, Mount)]
    assert mounts == ["/static"]


async def test_the_parameters_are_those_of_the_paths(document: dict[str, Any]) -> None:
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = [p["name"] for p in operation.get("parameters", []) if p["in"] == "path"]
            assert [f"{{{name}}}" in path for name in named] == [True] * path.count("{")


async def test_it_is_an_openapi_document(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    references = json.dumps(document).split('"$ref": "#/components/schemas/')[1:]
    used = {part.partition('"')[0] for part in references}
    assert used <= set(document["components"]["schemas"])
    ids = [one["operationId"] for methods in document["paths"].values() for one in methods.values()]
    assert len(set(ids)) == len(ids)
    for schema in document["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


def validate(document: dict[str, Any], answer: httpx.Response, path: str, method: str) -> None:
    """Hold an answer against the schema that the document has for it."""
    replies = document["paths"][path][method]["responses"]
    media = answer.headers["content-type"].partition(";")[0]
    schema = replies[str(answer.status_code)]["content"][media]["schema"]
    jsonschema_rs.validate(
        {**schema, "components": document["components"]},
        answer.json() if "json" in media else answer.text,
    )


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/recent-changes.json", "/recent-changes.json?limit=5&namespace=x"),
        ("/recent-changes", "/recent-changes"),
        ("/healthz", "/healthz"),
        ("/v1/scores/{wiki_id}/{rev_id}", "/v1/scores/enwiki/10?explain=1"),
        ("/v1/scores/{wiki_id}/{rev_id}", "/v1/scores/enwiki/99"),
        ("/v1/models", "/v1/models"),
        ("/v1/models/{name}", f"/v1/models/{LIFT_WING}"),
        ("/v1/models/{name}", "/v1/models/other"),
        ("/v3/scores/", "/v3/scores/?model_info"),
        ("/v3/scores/{wiki_id}/", "/v3/scores/enwiki/?revids=10|30|99"),
        ("/v3/scores/{wiki_id}/", "/v3/scores/nowiki/"),
        ("/v3/scores/{wiki_id}/", "/v3/scores/enwiki/?revids=x"),
        ("/v3/scores/{wiki_id}/{rev_id}/", "/v3/scores/enwiki/10/"),
        ("/openapi.json", "/openapi.json"),
        ("/docs", "/docs"),
    ],
)
async def test_answers_hold_to_their_schemas(
    house: ApiHouse, view: WritableView, document: dict[str, Any], path: str, asked: str
) -> None:
    house.has(page_change("create", 30))
    await view.write(row(5))
    validate(document, await house.get(asked), path, "get")


@pytest.mark.parametrize(
    "inputs",
    [
        {"rev_id": 10, "lang": "en"},
        {"rev_id": "10", "lang": "en"},
        {"instances": [{"rev_id": 10, "lang": "en"}, {"rev_id": 99, "lang": "en"}]},
        {"revision_data": DATA},
        {"rev_id": 99, "lang": "en"},
        {"rev_id": 10},
        {"rev_id": 10, "lang": "enwiki"},
    ],
)
async def test_predictions_hold_to_their_schema(
    house: ApiHouse, document: dict[str, Any], inputs: Any
) -> None:
    validate(document, await house.predict(inputs), "/v1/models/{name}:predict", "post")


async def test_the_examples_work(house: ApiHouse, document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/models/{name}:predict"]["post"]["requestBody"]
    examples = body["content"]["application/json"]["examples"]
    statuses = {}
    for name, example in examples.items():
        statuses[name] = (await house.predict(example["value"])).status_code
    assert statuses == {"one_revision": 422, "several": 422, "event": 422, "texts": 200}


async def test_the_page_shows_every_operation_and_schema(
    house: ApiHouse, document: dict[str, Any]
) -> None:
    answer = await house.get("/docs")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    for methods in document["paths"].values():
        for operation in methods.values():
            assert f'id="{operation["operationId"]}"' in answer.text
    for name in document["components"]["schemas"]:
        assert f'id="schema-{name}"' in answer.text
    targets = {part.partition('"')[0] for part in answer.text.split('href="#schema-')[1:]}
    assert targets <= set(document["components"]["schemas"])
    assert "https://" not in answer.text.replace("https://en", "")
    assert (await house.get("/static/docs.css")).status_code == 200


def test_the_filters_are_those_of_the_page() -> None:
    by_id = {operation.id: operation for operation in OPERATIONS}
    names = [parameter.name for parameter in by_id["recent_changes_json"].parameters]
    assert {"wiki", "revertrisk", "state", "limit", "before"} <= set(names)
    assert all(parameter.description for parameter in by_id["recent_changes_json"].parameters)
