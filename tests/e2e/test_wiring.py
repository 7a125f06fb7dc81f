"""Each block of the settings at work: one service is the other end of another."""

import socket
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from revision_quality.models.revert_risk import RevertRisk
from tests.e2e.service import PATIENCE_SECONDS, Service, settings_file

pytestmark = pytest.mark.mediawiki

SELDOM = 3600.0


def with_blocks(file: Path, blocks: str) -> Path:
    file.write_text(f"{file.read_text()}\n{blocks}\n")
    return file


def edited(mediawiki: Any, title: str, text: str = "One apple and two pears.") -> int:
    mediawiki.edit(title, "One apple.")
    return mediawiki.edit(title, text)


def test_edits_come_from_another_services_streams(mediawiki, tmp_path):
    first = edited(mediawiki, "Streamed")
    near = settings_file(tmp_path / "near", mediawiki.api_url)
    far = settings_file(tmp_path / "far", mediawiki.api_url, interval=SELDOM)
    with Service("run", near) as sender:
        streams = '["mediawiki.page_change.v1", "mediawiki.revision-tags-change"]'
        with_blocks(far, f'[event_streams]\nurl = "{sender.url}v2/stream/"\nstreams = {streams}\n')
        with Service("run", far) as service:
            service.dealt_with(first)
            rev_id = edited(mediawiki, "Streamed", "One apple and three plums.")

            assert service.dealt_with(rev_id)["state"] == "scored"


def test_a_datagram_wakes_the_polling(mediawiki, tmp_path):
    first = edited(mediawiki, "Woken")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        port = udp.getsockname()[1]
    file = settings_file(tmp_path, mediawiki.api_url, interval=SELDOM)
    with Service("run", with_blocks(file, f"[rc_feed]\nport = {port}\n")) as service:
        service.dealt_with(first)
        rev_id = edited(mediawiki, "Woken", "One apple and three plums.")
        time.sleep(1.0)
        assert service.row(rev_id) is None, "it is polled once an hour"

        datagram = msgspec.json.encode({"wiki": mediawiki.wiki_id, "type": "edit"})
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(datagram, ("127.0.0.1", port))
        assert service.dealt_with(rev_id)["state"] == "scored"


def test_scores_are_published_to_another_service(mediawiki, tmp_path):
    first = edited(mediawiki, "Published")
    keeper = settings_file(tmp_path / "keeper", mediawiki.api_url, interval=SELDOM)
    text = keeper.read_text().replace(
        "[web]", "[web]\naccepts_events = true\naccepts_scores = true"
    )
    keeper.write_text(text)
    scorer = settings_file(tmp_path / "scorer", mediawiki.api_url)
    with Service("run", keeper) as kept:
        kept.dealt_with(first)
        with_blocks(scorer, f'[event_gate]\nurl = "{kept.url}v1/events"\n')
        with Service("run", scorer) as scoring:
            rev_id = edited(mediawiki, "Published", "One apple and three plums.")
            created = mediawiki.edit("Published too", "One apple.")
            scored, refused = scoring.dealt_with(rev_id), scoring.dealt_with(created)

            assert kept.dealt_with(rev_id)["score"] == scored["score"]
            assert kept.dealt_with(created)["reason"] == refused["reason"] == "page_creation"


def test_a_model_more_is_a_block_more(mediawiki, tmp_path):
    """The second model is another service's; it is asked about articles only."""
    article = edited(mediawiki, "Twice scored")
    talk = edited(mediawiki, "Talk:Twice scored")
    name, version = f"{mediawiki.wiki_id}-revertrisk-language-agnostic", RevertRisk.load().version
    stream = "mediawiki.page_second_opinion_prediction_change.v1"
    with Service("run", settings_file(tmp_path / "far", mediawiki.api_url)) as far:
        block = f"""
        [[models]]
        kind = "lift_wing"
        url = "{far.url}"
        name = "{name}"
        version = "{version}"
        langs = {{ {mediawiki.wiki_id} = "my_" }}
        stream = "{stream}"
        namespaces = [0]
        match = {{ wiki_id = ["{mediawiki.wiki_id}", "/^other/"], page_change_kind = "/^edit$/" }}
        match_not = {{ performer = {{ is_bot = true }} }}
        concurrency = 2
        [model]
        [ores.aliases]
        damaging = "{name}"
        """
        near = settings_file(tmp_path / "near", mediawiki.api_url)
        with Service("run", with_blocks(near, block)) as service:
            shown = service.dealt_with(article)
            service.dealt_with(talk)
            scored = service.until(lambda: scores_of(service, stream, article))

            assert scored["predicted_classification"]["model_name"] == name
            assert scores_of(service, stream, talk) is None
            assert shown["score"] == service.dealt_with(article)["score"]
            address = f"/v1/scores/{mediawiki.wiki_id}/{article}"
            first, second = service.get(address).json(), service.get(f"{address}?model={name}")
            assert (first["model_name"], first["state"]) == (
                "revertrisk-language-agnostic",
                "scored",
            )
            assert (second.json()["model_name"], second.json()["state"]) == (name, "scored")
            answer = httpx.post(
                f"{service.url}v1/models/{name}:predict",
                json={"rev_id": article, "lang": "my_"},
                timeout=60,
            )
            assert answer.json()["model_name"] == name
            assert {"revertrisk-language-agnostic", name} <= set(
                service.get("/v1/models").json()["models"]
            )
            found = service.get(f"/v3/scores/{mediawiki.wiki_id}/{article}").json()
            names = found[mediawiki.wiki_id]["models"]
            assert {"damaging", "revertrisklanguageagnostic"} < names.keys()


def scores_of(service: Service, stream: str, rev_id: int) -> dict[str, Any] | None:
    """Return the event of a revision in a public stream, None if it is not there yet."""
    address = f"{service.url}v2/stream/{stream}?since=2020-01-01"
    headers = {"Accept": "application/json"}
    try:
        with httpx.stream("GET", address, headers=headers, timeout=1.0) as answer:
            assert answer.status_code == 200
            deadline = time.monotonic() + PATIENCE_SECONDS
            for line in answer.iter_lines():
                event = msgspec.json.decode(line) if line else {}
                if event.get("revision", {}).get("rev_id") == rev_id:
                    return event
                if time.monotonic() > deadline:
                    return None
    except httpx.ReadTimeout:
        return None
    return None
