"""One service, and what it says to the clients of others."""

import threading

import httpx
import pytest

from tests.e2e.service import Service, settings_file

STREAM = "/v2/stream/mediawiki.page_revert_risk_prediction_change.v1"


def test_a_score_is_the_same_in_every_protocol():
    with Service("demo", "--port", 0, "--no-open", "--speed", 0) as demo:
        row = demo.until(lambda: demo.rows("state=scored"))[0]
        wiki_id, rev_id = row["wiki_id"], row["rev_id"]
        name = f"{wiki_id}-revertrisk-language-agnostic"
        predicted = httpx.post(
            f"{demo.url}v1/models/{name}:predict", json={"rev_id": rev_id}, timeout=60
        )
        ores = demo.get(f"/v3/scores/{wiki_id}/{rev_id}").json()
        stored = demo.get(f"/v1/scores/{wiki_id}/{rev_id}").json()

        assert predicted.json()["wiki_db"] == wiki_id
        assert predicted.json()["output"]["probabilities"]["true"] == row["score"]
        [score] = ores[wiki_id]["scores"][str(rev_id)].values()
        assert score["score"]["probability"]["true"] == row["score"]
        assert (stored["score"], stored["state"]) == (row["score"], "scored")
        assert demo.get("/openapi.json").json()["openapi"].startswith("3.1")
        assert httpx.post(f"{demo.url}v1/events", json={}, timeout=60).status_code == 404


def test_an_open_stream_does_not_hold_up_the_end():
    with Service("demo", "--port", 0, "--no-open", "--speed", 0) as demo:
        begun = threading.Event()

        def follow() -> None:
            with httpx.stream(
                "GET", f"{demo.url}{STREAM[1:]}?since=2020-01-01", timeout=90
            ) as stream:
                for line in stream.iter_lines():
                    if line.startswith("data: "):
                        begun.set()

        reader = threading.Thread(target=follow)
        reader.start()
        assert begun.wait(90)
        assert demo.stop() == 0
        reader.join(60)
        assert not reader.is_alive()


@pytest.mark.mediawiki
def test_an_edit_that_is_posted_and_polled_is_there_once(mediawiki, tmp_path):
    file = settings_file(tmp_path, mediawiki.api_url)
    file.write_text(file.read_text().replace("[web]", "[web]\naccepts_events = true"))
    mediawiki.edit("Posted", "One apple.")
    rev_id = mediawiki.edit("Posted", "One apple and two pears.")
    with Service("run", file, "--port", 0) as service:
        row = service.dealt_with(rev_id)
        answer = httpx.post(
            f"{service.url}v1/events", json=[page_change(row, mediawiki.wiki_id)], timeout=60
        )

        assert (answer.status_code, answer.content) == (201, b"")
        other = mediawiki.edit("Posted", "One apple, two pears, three plums.")
        service.dealt_with(other)
        assert [found["score"] for found in service.rows_where(rev_id=rev_id)] == [row["score"]]


def page_change(row: dict[str, object], wiki_id: str) -> dict[str, object]:
    """Return the event that EventBus would have posted for a row."""
    revision = {"rev_id": row["rev_id"], "rev_dt": row["timestamp"]}
    return {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {
            "stream": "mediawiki.page_change.v1",
            "id": "0b7e2a3c-5f0e-4d4b-9d61-8f2f5cf3b1aa",
            "domain": "127.0.0.1",
        },
        "dt": row["timestamp"],
        "wiki_id": wiki_id,
        "page_change_kind": "edit",
        "changelog_kind": "update",
        "page": {"page_id": row["page_id"], "page_title": "Posted", "namespace_id": 0},
        "revision": revision | {"rev_parent_id": row["parent_id"]},
    }
