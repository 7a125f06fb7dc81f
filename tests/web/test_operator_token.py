"""The operator's pages ask for a token, where one is set."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from revision_quality.web.operator_token import guarded

TOKEN = "a-long-and-secret-word"


def client(token: str | None) -> httpx.AsyncClient:
    async def answer(request):
        return PlainTextResponse("fine")

    app = Starlette(routes=guarded([Route("/metrics", answer)], token))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://revq")


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (None, 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}", 200),
    ],
)
async def test_only_who_knows_the_token_gets_in(header, status):
    async with client(TOKEN) as asking:
        answer = await asking.get("/metrics", headers={"Authorization": header} if header else {})

    assert answer.status_code == status
    assert TOKEN not in answer.text


async def test_without_a_token_everybody_gets_in():
    async with client(None) as asking:
        assert (await asking.get("/metrics")).status_code == 200
