"""Wikis of edits that appear as time goes by, texts at hand: a process of its own.

Of each wiki `/{name}/api.php` answers what polling and scoring ask. A wiki whose name begins with
`dead` takes requests and never answers, until `/wake/{name}`. `/mood/{name}/down` has a wiki answer
503, `slow` after a second, `well` as before.
"""

import argparse
import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PARENTS = 1_000_000_000
"""The parent of revision n is n and this."""

PAGES = 500


class Wiki:
    """Its edits are numbered from 1, as revisions and as recent changes; `rate` a second appear."""

    def __init__(self, name: str, edits: int, rate: float) -> None:
        self.name = name
        self.is_awake = not name.startswith("dead")
        self.mood = "well"
        self._edits = edits
        self._rate = rate
        self._begun: float | None = None

    def answer(self, asked: dict[str, str]) -> dict[str, Any]:
        if "meta" in asked:
            return self._siteinfo()
        if asked.get("list") == "users":
            return {"query": {"users": []}}
        if asked.get("list") == "recentchanges":
            return self._recent_changes(asked)
        return self._revisions(asked)

    def _siteinfo(self) -> dict[str, Any]:
        general = {
            "generator": "MediaWiki 1.43.0",
            "wikiid": self.name,
            "sitename": self.name.title(),
            "lang": "en",
            "server": "http://127.0.0.1",
            "articlepath": "/wiki/$1",
            "scriptpath": f"/{self.name}",
        }
        names = {"0": {"name": ""}, "1": {"name": "Talk"}}
        return {"query": {"general": general, "namespaces": names, "userinfo": {"rights": []}}}

    def _recent_changes(self, asked: dict[str, str]) -> dict[str, Any]:
        newest = self._visible
        if "rccontinue" in asked:
            newest = min(newest, int(asked["rccontinue"].partition("|")[2]))
        oldest = asked.get("rcend", "")
        limit = int(asked["rclimit"])
        rows: list[dict[str, Any]] = []
        for number in range(newest, 0, -1):
            moment = self._moment(number)
            if f"{moment:%Y%m%d%H%M%S}" < oldest:
                break
            if len(rows) == limit:
                more = {"rccontinue": f"{moment:%Y%m%d%H%M%S}|{number}", "continue": "-||"}
                return {"query": {"recentchanges": rows}, "continue": more}
            rows.append(self._row(number, moment))
        return {"query": {"recentchanges": rows}}

    @property
    def _visible(self) -> int:
        if self._begun is None:
            self._begun = time.time() - 1 / self._rate
        return min(self._edits, int((time.time() - self._begun) * self._rate))

    def _moment(self, number: int) -> datetime:
        return datetime.fromtimestamp((self._begun or 0.0) + number / self._rate, UTC)

    def _row(self, number: int, moment: datetime) -> dict[str, Any]:
        return {
            "type": "edit",
            "ns": 0,
            "title": f"Page {number % PAGES}",
            "pageid": number % PAGES + 1,
            "rcid": number,
            "revid": number,
            "old_revid": PARENTS + number,
            "user": f"User {number % 50}",
            "userid": number % 50 + 1,
            "bot": False,
            "minor": False,
            "oldlen": 60,
            "newlen": 70,
            "comment": "more",
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "tags": [],
            "sha1": "0" * 40,
        }

    def _revisions(self, asked: dict[str, str]) -> dict[str, Any]:
        pages = [self._page(int(rev_id)) for rev_id in asked["revids"].split("|")]
        return {"query": {"pages": pages}}

    def _page(self, rev_id: int) -> dict[str, Any]:
        number = rev_id % PARENTS
        text = f"'''Page {number}''' has [[apple]]s, {number} of them."
        if rev_id < PARENTS:
            text += f" And {'pears ' * (number % 7)}!"
        revision = {
            "revid": rev_id,
            "parentid": rev_id + PARENTS if rev_id < PARENTS else 0,
            "user": "Somebody",
            "timestamp": f"{self._moment(number):%Y-%m-%dT%H:%M:%SZ}",
            "comment": "",
            "slots": {"main": {"contentmodel": "wikitext", "content": text}},
        }
        title = f"Page {number % PAGES}"
        return {"pageid": number % PAGES + 1, "ns": 0, "title": title, "revisions": [revision]}


def app_of(wikis: dict[str, Wiki]) -> Starlette:
    async def api(request: Request) -> Response:
        wiki = wikis[request.path_params["name"]]
        while not wiki.is_awake:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        if wiki.mood == "down":
            return Response("down", 503)
        if wiki.mood == "slow":
            await asyncio.sleep(1.0)
        asked = dict(request.query_params)
        if request.method == "POST":
            asked = dict(parse_qsl((await request.body()).decode()))
        return Response(msgspec.json.encode(wiki.answer(asked)), media_type="application/json")

    async def wake(request: Request) -> Response:
        wikis[request.path_params["name"]].is_awake = True
        return Response("awake")

    async def mood(request: Request) -> Response:
        wikis[request.path_params["name"]].mood = request.path_params["mood"]
        return Response("so be it")

    return Starlette(
        routes=[
            Route("/mood/{name}/{mood}", mood, methods=["POST"]),
            Route("/{name}/api.php", api, methods=["GET", "POST"]),
            Route("/wake/{name}", wake, methods=["POST"]),
        ]
    )


@contextmanager
def serving_wikis(names: list[str], edits: int, rate: float) -> Iterator[str]:
    """Serve wikis from a process of their own; gives the address."""
    command = [sys.executable, "-m", "tests.servers.wikis", str(edits), str(rate)]
    with subprocess.Popen(
        [*command, *names], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    ) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("edits", type=int)
    parser.add_argument("rate", type=float)
    parser.add_argument("names", nargs="+")
    told = parser.parse_args()
    wikis = {name: Wiki(name, told.edits, told.rate) for name in told.names}
    listening = socket.create_server(("127.0.0.1", 0), backlog=1024)
    print(f"http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    config = uvicorn.Config(app_of(wikis), log_level="critical", lifespan="off")
    asyncio.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main()
