"""The person on call: metrics, status, pause and resume, a second start, a stop."""

import os
import signal
import sqlite3
import time

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from revision_quality.cli.metrics import METRICS
from revision_quality.events import streams as names
from revision_quality.models.revert_risk import RevertRisk
from tests.e2e.service import Service, refusal, revq, settings_file

EDITS = 3000
SECONDS = 110.0
MODEL = "revertrisk-language-agnostic"


def demo(data, *arguments):
    return Service("demo", "--port", 0, "--no-open", "--speed", 0, "--data", data, *arguments)


def scraped(service):
    """Return the value of every sample by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(service.get("/metrics").text)
        for sample in family.samples
    }


def total(found, metric, /, **labels):
    return sum(
        value
        for (sample, has), value in found.items()
        if sample == metric and labels.items() <= dict(has).items()
    )


def scored_in(service):
    return total(scraped(service), "revq_changes", state="scored")


def test_every_edit_is_counted_at_every_step(tmp_path):
    with demo(tmp_path) as service:
        service.until(lambda: scored_in(service) == EDITS, SECONDS)
        rows, found = service.rows(), scraped(service)

        scored = sum(row["state"] == "scored" for row in rows)
        assert total(found, "revq_events_in_total", source="replay") == EDITS
        assert total(found, "revq_outcomes_total") == EDITS
        assert total(found, "revq_outcomes_total", state="scored") == scored
        assert total(found, "revq_publish_lag_seconds_count") == EDITS
        assert total(found, "revq_changes", state="scored") == scored
        assert total(found, "revq_view_events_total", view="changes") >= 2 * EDITS
        assert total(found, "revq_waiting") == total(found, "revq_dead_letters_total") == 0
        assert 0 < total(found, "revq_flagged_total", level="maybebad") < scored / 2
        assert found["revq_ready", frozenset()] == 1
        assert total(found, "revq_http_requests_total", route="/metrics", status="2xx") >= 1
        assert total(found, "revq_http_request_seconds_count") >= 2
        known = {metric.name for metric in METRICS}
        told = {
            family.name for family in text_string_to_metric_families(service.get("/metrics").text)
        }
        assert {name for name in told if name.startswith("revq_")} <= known

        status = service.get("/status.json").json()
        (model,) = status["models"]
        assert (model["name"], model["version"]) == (MODEL, RevertRisk.load().version)
        assert sum(model["outcomes"].values()) == EDITS
        assert len(status["wikis"]) == 14
        page = service.get("/status").text
        assert all(f"{wiki_id}</small>" in page for wiki_id in status["wikis"])
        names_of_views = [view["name"] for view in status["views"]]
        assert len(set(names_of_views)) == len(names_of_views), "a series for each"

        told = revq("status", "--url", service.url)
        assert MODEL in told.stdout
        assert told.returncode == (0 if "All is well" in told.stdout else 1)
        assert msgspec.json.decode(revq("status", "--url", service.url, "--json").stdout)["ready"]
        assert service.stop() == 0
        assert service.log == ""


def test_nobody_answers_where_no_revq_runs(tmp_path):
    told = refusal("status", "--url", "http://127.0.0.1:9", cwd=tmp_path)

    assert told.startswith("no revq answers at http://127.0.0.1:9")
    assert "revq run" in told


def test_a_paused_model_scores_nothing_until_it_is_resumed(tmp_path):
    settings = tmp_path / "revq.toml"
    settings.write_text('data_folder = "data"\n[[wikis]]\napi = "http://127.0.0.1:9/api.php"\n')
    paused = revq("pause", settings, "--model", MODEL)
    assert (paused.stdout, paused.returncode) == (f"Paused: models {MODEL}.\n", 0)

    with demo(tmp_path / "data") as service:
        service.until(lambda: service.rows("state=pending"), SECONDS)
        assert scored_in(service) == 0
        (model,) = service.get("/status.json").json()["models"]
        assert model["is_paused"]
        assert total(scraped(service), "revq_paused", what="model", name=MODEL) == 1
        service.kill()
    with demo(tmp_path / "data") as service:
        service.until(lambda: service.rows("state=pending"), SECONDS)
        time.sleep(1.0)
        assert scored_in(service) == 0

        assert revq("resume", settings, "--model", MODEL).stdout == "Nothing is paused.\n"
        service.until(lambda: scored_in(service), SECONDS)
        told = refusal("demo", "--no-open", "--port", 0, "--data", tmp_path / "data")
        assert "is in use by another revq" in told
        assert str(service.pid) in told
        assert service.stop() == 0, "in the middle of its work"
    with demo(tmp_path / "data") as service:
        service.until(lambda: scored_in(service) == EDITS, SECONDS)
        with sqlite3.connect(tmp_path / "data/streams.sqlite") as log:
            (published,) = log.execute(
                "SELECT count(*) FROM event JOIN stream USING (stream_id) WHERE name = ?",
                (names.PREDICTION,),
            ).fetchone()
        assert published == EDITS


@pytest.mark.mediawiki
def test_settings_change_and_a_wiki_pauses_while_the_service_runs(mediawiki, tmp_path):
    mediawiki.edit("Operated", "One apple.")
    first = mediawiki.edit("Operated", "One apple and two pears.")
    settings = settings_file(tmp_path, mediawiki.api_url)
    text = settings.read_text()
    with Service("run", settings) as service:
        service.until(lambda: service.row(first), SECONDS)

        settings.write_text(f"{text}slots = 'many'\n")
        os.kill(service.pid, signal.SIGHUP)
        service.until(lambda: "the old ones hold" in service.log)
        settings.write_text(f'{text}slots = 4\n[[wikis]]\napi = "http://127.0.0.1:9/api.php"\n')
        os.kill(service.pid, signal.SIGHUP)
        service.until(lambda: "the settings are reloaded" in service.log)
        service.until(lambda: service.get("/status.json").json()["unreachable"])
        settings.write_text(text)
        os.kill(service.pid, signal.SIGHUP)
        service.until(lambda: not service.get("/status.json").json()["unreachable"])

        revq("pause", settings, "--wiki", mediawiki.wiki_id)
        service.until(lambda: '"event": "paused"' in service.log)
        time.sleep(2.0)
        meanwhile = mediawiki.edit("Operated", "One apple and three plums.")
        time.sleep(2.0)
        assert service.row(meanwhile) is None
        found = service.get("/status.json").json()["wikis"][mediawiki.wiki_id]
        assert found["state"] == "paused"
        revq("resume", settings, "--wiki", mediawiki.wiki_id)
        row = service.until(lambda: service.row(meanwhile), SECONDS)

        assert row["rev_id"] == meanwhile
        fetched = scraped(service)
        assert total(fetched, "revq_fetch_requests_total", wiki=mediawiki.wiki_id) > 0
        assert service.stop() == 0
