import re

import httpx
import pytest
from starlette.applications import Starlette

from tests.web.conftest import WritableView


async def test_the_home_page_leads_to_recent_changes(client: httpx.AsyncClient) -> None:
    answer = await client.get("/?wiki=enwiki&hidebots=1")
    assert answer.is_redirect
    assert answer.headers["location"] == "/recent-changes?wiki=enwiki&hidebots=1"
    assert (await client.get("/")).headers["location"] == "/recent-changes"


@pytest.mark.parametrize(
    "path",
    [
        "/recent-changes",
        "/recent-changes.json",
        "/nowhere",
        "/static/page.css",
        "/static/main.js",
        "/healthz",
    ],
)
async def test_every_answer_has_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"]


async def test_the_process_lives_whether_or_not_the_view_answers(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})

    await view.break_down()
    assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("path", ["/recent-changes", "/recent-changes/events"])
async def test_a_view_that_cannot_be_read_is_a_plain_page(
    client: httpx.AsyncClient, view: WritableView, path: str
) -> None:
    await view.break_down()
    answer = await client.get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert "cannot be read at the moment" in answer.text
    assert "sqlite" not in answer.text.lower()
    assert answer.headers["content-security-policy"]


async def test_an_error_is_told_to_programs_in_json(
    client: httpx.AsyncClient, view: WritableView
) -> None:
    await view.break_down()
    answer = await client.get("/recent-changes.json")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json()["status"] == 503


async def test_an_unknown_address_and_a_wrong_method(client: httpx.AsyncClient) -> None:
    unknown = await client.get("/<script>alert(1)</script>")
    assert unknown.status_code == 404
    assert "There is no page at this address." in unknown.text
    assert "<script>" not in unknown.text

    assert (await client.post("/recent-changes")).status_code == 405


async def test_an_address_for_programs_tells_them_an_error_in_json(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/v1/events", json=[], headers={"Accept": "*/*"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "There is no page at this address."


async def test_an_unforeseen_error_shows_no_traceback(
    app: Starlette, client: httpx.AsyncClient
) -> None:
    async def fail(request: object) -> None:
        raise RuntimeError("a secret of the server")

    app.add_route("/fail", fail)  # type: ignore[arg-type]
    answer = await client.get("/fail")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text
    assert answer.headers["content-security-policy"]


@pytest.mark.parametrize("first", ["main.js", "alone.js"])
async def test_the_scripts_of_a_page_are_small(client: httpx.AsyncClient, first: str) -> None:
    names, sizes = [first], []
    for name in names:
        script = await client.get(f"/static/{name}")
        assert script.headers["content-type"].startswith("text/javascript")
        imported = re.findall(r'from "\./(\w+\.js)"', script.text)
        names += [one for one in imported if one not in names]
        sizes.append(len(script.content))
    assert sum(sizes) < 40_000
    assert len(sizes) > 3
