"""The past of a wiki: newest first, from recent changes and then from revisions, resumed."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from revision_quality.cli.span import since_of, span_of
from revision_quality.errors import SettingsError
from revision_quality.sources.history import History, HistoryState, Stage
from tests.events.examples import START, at
from tests.fakes import FakeClock, MemoryStore
from tests.sources.wiki import INFO
from tests.wiki.fake import FakeApi, parameters


class PastWiki:
    """Keeps one edit a minute, the last 3 of them in recent changes; 2 in an answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.failing = 0
        self.api = FakeApi(handler=self._answer)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        asked = parameters(request)
        if asked["list"] == "users":
            return httpx.Response(200, json={"query": {"users": []}})
        self.asked.append(asked["list"])
        if self.failing:
            self.failing -= 1
            return httpx.Response(503)
        is_recent = asked["list"] == "recentchanges"
        short = "rc" if is_recent else "arv"
        first = int(asked.get(f"{short}continue") or self._first(asked[f"{short}start"]))
        last = self._first(asked[f"{short}end"])
        numbers = [n for n in range(first, -1, -1) if n >= last and (n > 6 or not is_recent)]
        answer: dict[str, Any] = {"query": self._query(numbers[:2], is_recent=is_recent)}
        if numbers[2:]:
            answer["continue"] = {f"{short}continue": str(numbers[2])}
        return httpx.Response(200, json=answer)

    @staticmethod
    def _first(stamp: str) -> int:
        return min(9, max(0, (int(stamp[8:10]) * 60 + int(stamp[10:12])) - 8 * 60))

    def _query(self, numbers: list[int], *, is_recent: bool) -> dict[str, Any]:
        revisions = [
            {
                "revid": 100 + n,
                "parentid": 99 + n,
                "user": "Alice",
                "userid": 7,
                "comment": "",
                "size": 9,
                "sha1": "0" * 40,
                "timestamp": f"{at(60 * n):%Y-%m-%dT%H:%M:%SZ}",
            }
            for n in numbers
        ]
        page = {"pageid": 5, "ns": 0, "title": "Apple"}
        if not is_recent:
            return {"allrevisions": [page | {"revisions": [one]} for one in revisions]}
        rows = [
            page | one | {"type": "edit", "rcid": one["revid"], "old_revid": one["parentid"]}
            for one in revisions
        ]
        return {"recentchanges": rows}


class Reading:
    """A history that is read into a list."""

    def __init__(self, wiki: PastWiki, store: MemoryStore[HistoryState]) -> None:
        self.clock = FakeClock(at(600))
        api = wiki.api.api(self.clock, attempts=1)
        self.history = History(api, INFO, store, START + timedelta(minutes=2), self.clock)
        self.rev_ids: list[int] = []

    async def emit(self, events: Any) -> None:
        self.rev_ids += [event.revision.rev_id for event in events]


async def test_edits_come_newest_first_beyond_recent_changes_too() -> None:
    wiki, store = PastWiki(), MemoryStore[HistoryState]()
    reading = Reading(wiki, store)
    await reading.history.run(reading.emit)

    assert list(dict.fromkeys(reading.rev_ids)) == list(range(109, 101, -1))
    assert wiki.asked == ["recentchanges"] * 2 + ["allrevisions"] * 3
    assert (reading.history.done, reading.history.total) == (480.0, 480.0)


async def test_it_goes_on_where_it_was_ended() -> None:
    wiki, store = PastWiki(), MemoryStore[HistoryState]()
    first = Reading(wiki, store)
    await first.history.step(first.emit)
    second = Reading(wiki, store)
    await second.history.run(second.emit)

    assert first.rev_ids == [109, 108]
    assert second.rev_ids[0] == 107
    assert 0 < first.history.done < first.history.total
    assert store.state
    assert store.state.stage is Stage.DONE


async def test_one_that_is_done_begins_again() -> None:
    wiki, store = PastWiki(), MemoryStore[HistoryState]()
    for _ in range(2):
        reading = Reading(wiki, store)
        await reading.history.run(reading.emit)
        assert reading.rev_ids[0] == 109


async def test_a_wiki_that_does_not_answer_is_waited_for() -> None:
    wiki = PastWiki()
    wiki.failing = 2
    reading = Reading(wiki, MemoryStore[HistoryState]())
    await reading.history.run(reading.emit)

    assert reading.rev_ids[:2] == [109, 108]
    assert reading.clock.slept[:2] == [5.0, 10.0]


@pytest.mark.parametrize(
    ("text", "before"), [("30d", timedelta(days=30)), ("12h", timedelta(hours=12))]
)
def test_a_span_is_before_now(text: str, before: timedelta) -> None:
    assert since_of(text, START) == START - before


def test_a_day_is_a_day_and_nothing_is_no_span() -> None:
    assert f"{since_of('2026-01-31', START):%Y-%m-%d %H}" == "2026-01-31 00"
    assert span_of("0d") is None
    with pytest.raises(SettingsError, match="--since soon: expected a day such as"):
        since_of("soon", START)
