"""What is counted of requests: the template of a route and a class of status, nothing else."""

import asyncio
from collections import Counter

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from revision_quality.web.assets import asset_files
from revision_quality.web.operation import template_of
from revision_quality.web.requests_counted import Requests, RequestsCounted
from revision_quality.web.shortcuts import shortcuts_of
from tests.web.api_house import LIFT_WING, api_house
from tests.web.test_lift_wing import DATA
from tests.web.test_shortcuts import PromptFake, served


async def page(request: Request) -> Response:
    if request.path_params["rev_id"] == 5:
        raise ValueError
    return PlainTextResponse("page")


async def events(request: Request) -> Response:
    async def endless():
        yield b"one"
        await asyncio.Event().wait()

    return StreamingResponse(endless())


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def app(requests: Requests) -> Starlette:
    routes = [
        Route("/changes/{wiki_id}/{rev_id:int}", page),
        Route("/events", events),
        asset_files(),
    ]
    return Starlette(routes=routes, middleware=[Middleware(RequestsCounted, requests=requests)])


@pytest.mark.parametrize(
    ("method", "path", "labels"),
    [
        ("GET", "/changes/enwiki/1", ("/changes/{wiki_id}/{rev_id}", "2xx")),
        ("GET", "/changes/enwiki/5", ("/changes/{wiki_id}/{rev_id}", "5xx")),
        ("POST", "/changes/enwiki/1", ("/changes/{wiki_id}/{rev_id}", "4xx")),
        ("GET", "/changes/enwiki/one", ("none", "4xx")),
        ("GET", "/changes/enwiki/1/", ("none", "3xx")),
        ("GET", "/static/nothing.js", ("/static", "4xx")),
        ("GET", "/%00%ff?%00", ("none", "4xx")),
    ],
)
async def test_a_request_counts_for_its_route(app, requests, method, path, labels):
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        await client.request(method, path)

    assert dict(requests.answered.items()) == {labels: 1}
    ((route, spread),) = requests.seconds.items()
    assert route == labels[:1]
    assert sum(spread.counts) == 1


async def test_an_endless_answer_counts_when_it_begins(app, requests):
    async with (
        served(app, {}) as port,
        httpx.AsyncClient(timeout=60) as client,
        client.stream("GET", f"http://127.0.0.1:{port}/events"),
    ):
        assert requests.answered["/events", "2xx"] == 1


async def test_whatever_is_asked_for_the_routes_stay_those_of_the_service(tmp_path, view, requests):
    async with api_house(tmp_path, view) as house:
        known = {template_of(route.path) for route in house.app.routes}
        counted = RequestsCounted(house.app, requests)
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(counted), base_url="http://test"
        ) as client:
            for number in range(50):
                await client.get(f"/made-up-{number}")
                await client.get(f"/recent-changes/wiki{number}/{number}")
                await client.get(f"/v3/scores/wiki{number}/{number}")

    routes = Counter(route for (route, _), _ in requests.answered.items())
    assert routes.keys() <= {*known, "none"}
    assert requests.answered.total == 150
    assert requests.answered["none", "4xx"] == 50


async def test_what_a_shortcut_answers_counts_once(tmp_path, view, requests):
    async with api_house(tmp_path, view, PromptFake()) as house:
        shortcuts = shortcuts_of(house.app.routes, requests.shortcut)
        counted = RequestsCounted(house.app, requests)
        async with served(counted, shortcuts) as port, httpx.AsyncClient(timeout=60) as client:
            url = f"http://127.0.0.1:{port}/v1/models/{LIFT_WING}:predict"
            assert (await client.post(url, json={"revision_data": DATA})).status_code == 200
            assert dict(requests.answered.items()) == {("/v1/models/{name}:predict", "2xx"): 1}
            await client.post(url, json={"revision_data": {}})

    assert requests.answered["/v1/models/{name}:predict", "4xx"] == 1
    assert requests.answered.total == 2
