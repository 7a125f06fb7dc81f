"""`kill -9` at any moment of a replay: no edit is lost, none is there twice."""

import random
import sqlite3
import time
from collections import Counter, defaultdict

import msgspec
import pytest

from revision_quality.demo import sample_edits
from revision_quality.events import streams as names
from tests.e2e.service import Service, states

KILLS = 20
LONGEST_SECONDS = 0.8
SPEED = 500_000
"""The sample's year then lasts a minute, longer than all replays up to the last kill."""

SEED = 20


@pytest.mark.timeout(600)
def test_twenty_kills_lose_and_double_nothing(tmp_path):
    data = tmp_path / "data"
    moments = random.Random(SEED)
    replayed = [_kill_after(moments.uniform(0, LONGEST_SECONDS), data) for _ in range(KILLS)]
    with _demo(data, speed=0) as demo:
        rows = demo.all_settled(3000)
        assert demo.stop() == 0
        assert demo.log == ""
    for file in data.glob("changes.sqlite*"):
        file.unlink()
    with _demo(data, speed=0) as demo:
        rebuilt = demo.all_settled(3000)

    edits = [(e.event["wiki_id"], e.event["revision"]["rev_id"]) for e in sample_edits()]
    predictions = _predictions(data)
    repeated = sum(len(scores) - 1 for scores in predictions.values())
    print(f"seed {SEED}: killed with {replayed} of {len(edits)} edits in the stream")
    print(f"{len(rows)} rows {dict(states(rows))}, {len(predictions)} scores, {repeated} repeated")
    assert replayed == sorted(replayed)
    assert 0 < replayed[-1] < len(edits)
    assert Counter((row["wiki_id"], row["rev_id"]) for row in rows) == Counter(edits)
    assert states(rows)["scored"] == len(predictions)
    assert all(len(set(scores)) == 1 for scores in predictions.values())
    assert {_key(row): [row["score"]] for row in rows if row["score"] is not None} == {
        key: scores[:1] for key, scores in predictions.items()
    }
    assert rebuilt == rows


def _demo(data, speed):
    return Service("demo", "--port", 0, "--no-open", "--data", data, "--speed", speed)


def _kill_after(seconds, data):
    """Kill a replay so long after it serves; return how many edits are in the stream."""
    with _demo(data, SPEED) as demo:
        _ = demo.url
        time.sleep(seconds)
        demo.kill()
    return len(_values(data, names.PAGE_CHANGE))


def _predictions(data):
    """Return the scores published under each key, in the order of the stream."""
    scores = defaultdict(list)
    for event in _values(data, names.PREDICTION):
        made = event["predicted_classification"]
        key = (
            event["wiki_id"],
            event["revision"]["rev_id"],
            made["model_name"],
            made["model_version"],
        )
        scores[key].append(made["probabilities"]["true"])
    return scores


def _key(row):
    return row["wiki_id"], row["rev_id"], row["model_name"], row["model_version"]


def _values(data, stream):
    connection = sqlite3.connect(data / "streams.sqlite")
    try:
        rows = connection.execute(
            "SELECT value FROM event JOIN stream USING (stream_id) WHERE name = ? ORDER BY offset",
            (stream,),
        ).fetchall()
    finally:
        connection.close()
    return [msgspec.json.decode(value) for (value,) in rows]
