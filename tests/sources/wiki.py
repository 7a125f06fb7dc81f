"""A wiki made of a list of rows of recent changes."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from revision_quality.clock import Clock
from revision_quality.sites import Site
from revision_quality.sources.polling import PollingSource, PollingState
from revision_quality.sources.reverted import RevertedState
from revision_quality.wiki.siteinfo import SiteInfo
from tests.events.examples import at
from tests.fakes import FakeClock, MemoryStore
from tests.wiki.fake import FakeApi, parameters

SITE = Site(wiki_id="my_wiki", name="W", lang="en", dir="ltr", server="https://wiki.example")
INFO = SiteInfo(site=SITE, generator="MediaWiki 1.39.17")


class FakeWiki:
    """Answers list=recentchanges, list=users and prop=revisions; `failure` comes instead."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.failure: httpx.Response | Exception | None = None
        self.failing_prop: str | None = None
        self.fake = FakeApi(handler=self._answer)

    def edit(self, moment: datetime, **fields: Any) -> dict[str, Any]:
        """Make an edit that shows up now, whenever its time is."""
        rcid = len(self.rows) + 1
        row: dict[str, Any] = {
            "type": "edit",
            "ns": 0,
            "title": "Apple",
            "pageid": 5,
            "rcid": rcid,
            "revid": 100 + rcid,
            "old_revid": 99 + rcid,
            "user": "Alice",
            "userid": 7,
            "bot": False,
            "minor": False,
            "oldlen": 9,
            "newlen": 20,
            "comment": "more",
            "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "tags": [],
            "sha1": "0" * 40,
        }
        self.rows.append(row | fields)
        return self.rows[-1]

    def log(self, moment: datetime, **fields: Any) -> dict[str, Any]:
        """Make an entry of the log."""
        row = self.edit(moment, type="log", revid=0, old_revid=0, **fields)
        del row["sha1"]
        return row

    def source(
        self,
        store: MemoryStore[PollingState] | None = None,
        clock: Clock | None = None,
        backfill: timedelta | None = None,
        reverted: MemoryStore[RevertedState] | None = None,
    ) -> PollingSource:
        clock = clock or FakeClock(at(3600))
        api = self.fake.api(clock, attempts=1)
        store = store or MemoryStore()
        return PollingSource(api, INFO, store, backfill=backfill, clock=clock, reverted=reverted)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = parameters(request)
        if isinstance(self.failure, Exception):
            raise self.failure
        if self.failure is not None:
            return self.failure
        if asked.get("prop") == "revisions":
            if self.failing_prop == "revisions":
                return httpx.Response(503)
            return httpx.Response(200, json=self._revisions(asked))
        if asked.get("list") == "users":
            return httpx.Response(200, json={"query": {"users": []}})
        return httpx.Response(200, json=self._recent_changes(asked))

    def _recent_changes(self, asked: dict[str, str]) -> dict[str, Any]:
        assert asked["rcdir"] == "older"
        rows = sorted(self.rows, key=_position, reverse=True)
        if "rctag" in asked:
            rows = [row for row in rows if asked["rctag"] in row["tags"]]
        if "rccontinue" in asked:
            moment, _, rcid = asked["rccontinue"].partition("|")
            rows = [row for row in rows if _position(row) <= (moment, int(rcid))]
        if "rcend" in asked:
            rows = [row for row in rows if _position(row)[0] >= asked["rcend"]]
        limit = int(asked["rclimit"])
        answer: dict[str, Any] = {"query": {"recentchanges": rows[:limit]}}
        if len(rows) > limit:
            moment, rcid = _position(rows[limit])
            answer["continue"] = {"rccontinue": f"{moment}|{rcid}", "continue": "-||"}
        return answer

    def _revisions(self, asked: dict[str, str]) -> dict[str, Any]:
        wanted = set(map(int, asked["revids"].split("|")))
        pages = [
            {
                "pageid": row["pageid"],
                "ns": row["ns"],
                "title": row["title"],
                "revisions": [{**row, "parentid": row["old_revid"], "size": row["newlen"]}],
            }
            for row in self.rows
            if row["revid"] in wanted
        ]
        return {"query": {"pages": pages}}


def _position(row: dict[str, Any]) -> tuple[str, int]:
    moment = "".join(digit for digit in row["timestamp"] if digit.isdigit())
    return moment, row["rcid"]
