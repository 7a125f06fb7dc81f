"""A wiki on loopback that has every revision but some, and falls silent when a test says so."""

import asyncio
import random
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.wiki.fake import fixture

MISSING = 97
"""Revisions whose number this divides are not there."""

_WORDS = ["apple", "pear", "plum", "[[fruit]]", "{{cite|https://fruit.example}}", "BAD!!!", "\n"]


class Wiki:
    """Answers who it is and what is in its revisions; `requests` counts the latter.

    Without its `gate` being set it does not answer, after `left` more answers.
    """

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.left = 0
        self.requests = 0
        self.app = Starlette(routes=[Route("/w/api.php", self._answer, methods=["GET", "POST"])])

    async def _answer(self, request: Request) -> Response:
        asked = dict(request.query_params) | dict(parse_qsl((await request.body()).decode()))
        if "revids" not in asked:
            return JSONResponse(fixture("siteinfo")["body"])
        self.requests += 1
        if self.left:
            self.left -= 1
        else:
            await self.gate.wait()
        pages = [_page(int(rev_id)) for rev_id in str(asked["revids"]).split("|")]
        return JSONResponse({"query": {"pages": [page for page in pages if page]}})


def _page(rev_id: int) -> dict[str, Any] | None:
    if rev_id % MISSING == 0:
        return None
    slot = {"contentmodel": "wikitext", "content": text_of(rev_id)}
    revision = {
        "revid": rev_id,
        "timestamp": "2026-11-20T08:00:00Z",
        "user": "Alice",
        "comment": "typo",
        "slots": {"main": slot},
    }
    return {"pageid": rev_id % 50 + 1, "ns": 0, "title": "Some page", "revisions": [revision]}


def text_of(rev_id: int) -> str:
    return " ".join(random.Random(rev_id).choices(_WORDS, k=60))
