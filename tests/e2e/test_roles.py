"""Each role in a process of its own: handing over, restarting, many wikis."""

import asyncio
import threading
import time
from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from scripts.loopback import free_port

from revision_quality.views.cassandra import CassandraScores
from revision_quality.views.cassandra_session import CassandraPlace
from tests.e2e.team import Process, count_in, until
from tests.servers.wikis import PARENTS, serving_wikis

EDITS = 300
EVENTS_IN = "revq_events_in_total"


@pytest.fixture
def wikis():
    with serving_wikis(["onewiki"], EDITS, 100) as address:
        yield address


def settings_file(folder: Path, *apis: str, port: int = 0) -> Path:
    blocks = (f'[[wikis]]\napi = "{api}"\ninterval = 0.3\noverlap = 2\n' for api in apis)
    file = folder / "revq.toml"
    file.write_text(f"[web]\nport = {port}\n" + "".join(blocks))
    return file


def view_of(folder: Path) -> str:
    return f"sqlite:///{folder}/revq-data/changes.sqlite"


def test_the_roles_alone_do_what_they_do_together(wikis, tmp_path):
    file = settings_file(tmp_path, f"{wikis}/onewiki/api.php")
    with ExitStack() as started:
        team = [
            started.enter_context(Process("_".join(roles), file, roles))
            for roles in (["collect"], ["score"], ["materialise", "serve"])
        ]
        for process in team:
            assert httpx.get(f"{process.url}healthz", timeout=60).json() == {"alive": True}
        until(lambda: count_in(view_of(tmp_path), "scored") == EDITS, 120)

        collect, score, both = (process.ready() for process in team)
        assert collect["roles"] == {"collect": "working"}
        assert both["roles"] == {"materialise": "working", "serve": "working"}
        assert collect["wikis"]["onewiki"]["collecting_seconds"] < 30
        assert score["wikis"]["onewiki"]["waiting"] == 0
        page = httpx.get(f"{team[-1].url}recent-changes.json?limit=1", timeout=60).json()
        rev_id = page["changes"][0]["rev_id"]
        answer = httpx.get(f"{team[-1].url}v1/scores/onewiki/{rev_id}", timeout=60).json()
        assert answer["state"] == "scored"
        assert httpx.get(f"{team[0].url}recent-changes", timeout=60).status_code == 404
        assert [process.stop() for process in team] == [0, 0, 0]


def test_edits_of_a_wiki_that_is_down_at_the_start_wait_for_it(tmp_path):
    with serving_wikis(["onewiki", "latewiki"], 20, 100) as wikis:
        file = settings_file(tmp_path, f"{wikis}/onewiki/api.php", f"{wikis}/latewiki/api.php")
        with Process("collect", file, ["collect"]) as collect:
            until(lambda: events_in(collect) == 40, 120)
            assert collect.stop() == 0

        httpx.post(f"{wikis}/mood/latewiki/down", timeout=60)
        with Process("rest", file, ["score", "materialise", "serve"]) as rest:
            until(lambda: count_in(view_of(tmp_path), "scored") == 20, 120)
            assert count_in(view_of(tmp_path), "pending") == 20
            httpx.post(f"{wikis}/mood/latewiki/well", timeout=60)
            until(lambda: count_in(view_of(tmp_path), "scored") == 40, 120)
            assert rest.stop() == 0


def test_the_only_wiki_is_down_at_the_first_start_and_edits_are_posted(tmp_path):
    with serving_wikis(["onewiki"], 20, 100) as wikis:
        api = f"{wikis}/onewiki/api.php"
        file = settings_file(tmp_path, api)
        file.write_text(f"[web]\nport = 0\naccepts_events = true\n[[wikis]]\napi = '{api}'\n")
        httpx.post(f"{wikis}/mood/onewiki/down", timeout=60)
        with Process("all", file, []) as process:
            found = process.ready()
            assert "answers HTTP 503" in found["unreachable"][api]
            assert "answers HTTP 503" in httpx.get(f"{process.url}status", timeout=60).text
            assert httpx.get(f"{process.url}recent-changes", timeout=60).status_code == 200

            posted = httpx.post(f"{process.url}v1/events", json=[saved("onewiki", 7)], timeout=60)
            assert posted.status_code == 201
            until(lambda: count_in(view_of(tmp_path), "pending") == 1, 120)

            httpx.post(f"{wikis}/mood/onewiki/well", timeout=60)
            until(lambda: count_in(view_of(tmp_path), "scored") == 20, 120)
            assert "Not connected yet" in process.log
            assert process.stop() == 0


def saved(wiki_id: str, rev_id: int) -> dict[str, Any]:
    """Return the event of an edit as its wiki posts it, which has another name in public."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {"stream": "mediawiki.page_change.v1", "domain": "wiki.example"},
        "dt": now,
        "wiki_id": wiki_id,
        "page_change_kind": "edit",
        "changelog_kind": "update",
        "page": {"page_id": rev_id + 1, "page_title": f"Page_{rev_id}", "namespace_id": 0},
        "revision": {"rev_id": rev_id, "rev_dt": now, "rev_parent_id": PARENTS + rev_id},
    }


def events_in(process: Process) -> float:
    """Count the events that a process has brought in."""
    metrics = httpx.get(f"{process.url}metrics", timeout=60).text
    found = text_string_to_metric_families(metrics)
    return sum(one.value for each in found for one in each.samples if one.name == EVENTS_IN)


@pytest.mark.cassandra
@pytest.mark.usefixtures("sockets_of_acsylla")
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_a_score_store_is_kept_and_asked(wikis, cassandra, tmp_path):
    place = cassandra.place()
    file = settings_file(tmp_path, f"{wikis}/onewiki/api.php")
    url = f"cassandra://{place.hosts[0]}:{place.port}/{place.keyspace}"
    file.write_text(f'{file.read_text()}\n[score_store]\nurl = "{url}"\n')
    with Process("all", file, []) as process:
        until(lambda: count_in(view_of(tmp_path), "scored") == EDITS, 120)
        stored = until(lambda: asyncio.run(_stored(place)), 120)
        answer = httpx.get(f"{process.url}v1/scores/onewiki/7", timeout=60).json()
        assert answer["score"] == stored
        assert process.stop() == 0


async def _stored(place: CassandraPlace) -> float | None:
    store = await CassandraScores.open(place)
    try:
        found = (await store.scores("onewiki", [7])).get(7)
    finally:
        await store.close()
    return found.outcomes[0].score if found and found.outcomes else None


@pytest.mark.parametrize("role", ["collect", "score", "materialise"])
def test_a_second_one_waits_and_takes_over(wikis, tmp_path, role):
    file = settings_file(tmp_path, f"{wikis}/onewiki/api.php")
    first, second = Process("first", file, [role]), Process("second", file, [role])
    with first, second:
        until(lambda: _states(role, first, second) == {"working": 1, "standby": 1}, 120)
        working, waiting = sorted(
            (first, second), key=lambda one: one.readiness()["roles"][role], reverse=True
        )
        assert waiting.readiness()["ready"], "a new one must be ready for the old one to be ended"
        assert working.stop() == 0
        waiting.ready(role)
        assert waiting.stop() == 0


def _states(role: str, *processes: Process) -> Counter[str]:
    return Counter(process.readiness()["roles"][role] for process in processes)


def test_one_of_two_that_serve_restarts_and_nobody_notices(wikis, tmp_path):
    port = free_port()
    file = settings_file(tmp_path, f"{wikis}/onewiki/api.php", port=port)
    one, two = Process("one", file, ["serve"]), Process("two", file, ["serve"])
    load = _Load(f"http://127.0.0.1:{port}/recent-changes.json?limit=5")
    with one, two:
        for process in (one, two):
            until(lambda process=process: "Recent changes:" in process.log, 120)
        with load:
            for process in (one, two, one):
                time.sleep(1)
                assert process.stop() == 0
                process.start()
                until(
                    lambda process=process: process.log.count("Recent changes:") == process.starts,
                    60,
                )
        print(f"\n{load.answers} answers, {load.failures} failures over three restarts")
    assert load.answers > 100
    assert load.failures == []


class _Load:
    """Asks as fast as it can, half of the time with connections that stay open."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._is_over = threading.Event()
        self._threads = [
            threading.Thread(target=self._ask, args=(is_kept,)) for is_kept in (False, True) * 2
        ]
        self.answers = 0
        self.failures: list[str] = []

    def __enter__(self) -> "_Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def _ask(self, is_kept: bool) -> None:
        headers = {} if is_kept else {"Connection": "close"}
        with httpx.Client(timeout=60, headers=headers) as client:
            while not self._is_over.is_set():
                try:
                    client.get(self._address).raise_for_status()
                    self.answers += 1
                except httpx.HTTPError as error:
                    self.failures.append(repr(error))


@pytest.mark.timeout(400)
def test_three_hundred_wikis_start_in_seconds_though_some_are_dead(tmp_path):
    live, dead = [f"wiki{n:03}" for n in range(290)], [f"dead{n}" for n in range(10)]
    folder = tmp_path / "wikis.d"
    folder.mkdir()
    with serving_wikis([*live, *dead], edits=5, rate=5) as address:
        for name in [*live, *dead]:
            text = f'api = "{address}/{name}/api.php"\ninterval = 10\n'
            (folder / f"{name}.toml").write_text(text)
        file = tmp_path / "revq.toml"
        file.write_text('wikis_folder = "wikis.d"\n[web]\nport = 0\n')
        begun = time.monotonic()
        with Process("all", file, []) as process:
            _ = process.url
            seconds = time.monotonic() - begun
            until(lambda: count_in(view_of(tmp_path), "scored") == 5 * len(live), 120)
            found = process.readiness()
            assert found["ready"]
            assert len(found["unreachable"]) == len(dead)
            assert found["wikis"].keys() == set(live)
            all_scored = time.monotonic() - begun

            httpx.post(f"{address}/wake/dead3", timeout=60)
            until(lambda: "dead3" in process.readiness()["wikis"], 120)
            until(lambda: count_in(view_of(tmp_path), "scored") == 5 * len(live) + 5, 120)
            assert process.stop() == 0
    print(f"\n300 wikis: served after {seconds:.1f} s, all scored after {all_scored:.1f} s")
    assert seconds < 60
