"""`revq score --output` as its users run it: the scores of one process, whatever ends it."""

import bz2
import json
import signal
import subprocess
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.bulk.make import (
    break_off,
    histories,
    in_files,
    multistream,
    parquet,
    revision_data,
    rows_in,
    scores,
    two_files,
)
from tests.e2e.service import REVQ, refusal, revq
from tests.training.histories.make import HEAD, dump

DUMP = dump(histories(60))
EDITS = 60 * 20


def by_one_process(path: Path, *options: str) -> dict[int, float | None]:
    done = revq("score", "--file", path, *options)
    assert (done.returncode, done.stderr) == (0, "")
    return {
        answer["revision_id"]: answer.get("output", {}).get("probabilities", {}).get("true")
        for answer in map(json.loads, done.stdout.splitlines())
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "whole.xml"
    path.write_text(DUMP)
    return path


@pytest.fixture(scope="module")
def expected(whole: Path) -> dict[int, float | None]:
    return by_one_process(whole)


def test_files_of_a_dump_have_the_scores_of_the_whole_dump(tmp_path, expected):
    in_files(DUMP, tmp_path / "dumps", 4)

    done = revq("score", "--file", "dumps", "--output", "out", cwd=tmp_path)

    scored = sum(score is not None for score in expected.values())
    counts = f"{EDITS:,} edits: {scored:,} scored, {EDITS - scored:,} not scorable."
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{counts} They are in {tmp_path / 'out'}.\n"
    assert scores(tmp_path / "out") == expected
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "_manifest.json",
        *(f"part-0000{n}.parquet" for n in range(4)),
    ]


def test_without_counting_editors_as_well(tmp_path, whole):
    in_files(DUMP, tmp_path / "dumps", 3)

    revq("score", "--file", "dumps/*.bz2", "--output", "out", "--partial", cwd=tmp_path)

    assert scores(tmp_path / "out") == by_one_process(whole, "--partial")


def test_a_multistream_dump_is_scored_through_its_index(tmp_path, expected):
    multistream(DUMP, tmp_path / "dumps", 7)

    revq("score", "--file", "dumps", "--output", "out", "--workers", 1, cwd=tmp_path)

    assert scores(tmp_path / "out") == expected


def test_a_second_run_does_only_what_is_missing(tmp_path, expected):
    in_files(DUMP, tmp_path / "dumps", 4)
    arguments = ("score", "--file", "dumps", "--output", "out")
    revq(*arguments, cwd=tmp_path)
    parts = sorted((tmp_path / "out").glob("*.parquet"))
    parts[2].unlink()
    kept = {path: path.stat().st_mtime_ns for path in parts if path.exists()}

    done = revq(*arguments, cwd=tmp_path)

    before = sum(pq.read_metadata(path).num_rows for path in kept)
    assert f"{before:,} dealt with before." in done.stdout
    assert scores(tmp_path / "out") == expected
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert revq(*arguments, cwd=tmp_path).stdout.startswith(f"{EDITS:,} edits: {EDITS:,} dealt")


@pytest.mark.parametrize("awaited", ["_editors/*.parquet", "part-*.parquet", ".part-*.new"])
def test_it_goes_on_where_it_was_killed(awaited, tmp_path, expected):
    in_files(DUMP, tmp_path / "dumps", 6)
    output = tmp_path / "out"
    command = [str(REVQ), "score", "--file", "dumps", "--output", "out", "--workers", "1"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE) as run:
        until = time.monotonic() + 90
        while not any(output.glob(awaited)) and time.monotonic() < until:
            time.sleep(0.002)
        run.send_signal(signal.SIGKILL)
        run.wait()
    kept = {path: path.stat().st_mtime_ns for path in output.glob("part-*.parquet")}
    assert len(kept) < 6

    done = revq("score", "--file", "dumps", "--output", "out", cwd=tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert scores(output) == expected
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


def test_parquet_in_and_out(tmp_path):
    rows = [revision_data(number) for number in range(1, 51)]
    rows[9]["text"] = None
    parquet(rows, tmp_path / "edits.parquet", row_group=20)

    done = revq("score", "--file", "edits.parquet", "--output", "out", cwd=tmp_path)

    assert done.stdout.startswith("50 edits: 49 scored, 1 failed. ")
    found = rows_in(tmp_path / "out")
    assert [row["rev_id"] for row in found] == list(range(1, 51))
    assert [row["rev_id"] for row in found if row["reason"]] == [10]
    lines = b"\n".join(json.dumps(row).encode() for row in rows if row["text"])
    answers = map(json.loads, revq("score", "--file", "-", stdin=lines).stdout.splitlines())
    assert [row["score"] for row in found if not row["reason"]] == [
        answer["output"]["probabilities"]["true"] for answer in answers
    ]


def test_a_broken_file_does_not_hold_up_the_others(tmp_path):
    first, _ = two_files(tmp_path / "dumps")
    break_off(first)

    done = revq("score", "--file", "dumps", "--output", "out", "--partial", cwd=tmp_path)

    assert done.returncode == 1
    assert done.stdout.startswith("12 edits: ")
    assert done.stderr.startswith("revq: 1 of 2 partitions are not scored; the first:")
    assert f"{first}: not a whole XML dump" in done.stderr
    assert [path.name for path in (tmp_path / "out").glob("*.parquet")] == ["part-00001.parquet"]


def test_what_was_counted_is_kept_when_a_broken_file_is_mended(tmp_path):
    first, _ = two_files(tmp_path / "dumps")
    good = first.read_bytes()
    break_off(first)
    arguments = ("score", "--file", "dumps", "--output", "out")

    sentence = refusal(*arguments, cwd=tmp_path)
    counts = list((tmp_path / "out" / "_editors").glob("*.parquet"))
    first.write_bytes(good)
    done = revq(*arguments, cwd=tmp_path)

    assert sentence.startswith(f"{first}: not a whole XML dump")
    assert "The editors cannot be counted without it" in sentence
    assert len(counts) == 1
    assert (done.returncode, done.stdout[:9]) == (0, "24 edits:")


def test_another_input_or_model_needs_another_folder(tmp_path):
    two_files(tmp_path / "dumps")
    arguments = ("score", "--file", "dumps", "--output", "out")
    revq(*arguments, cwd=tmp_path)

    assert "another --wiki-id or --partial" in refusal(*arguments, "--partial", cwd=tmp_path)
    (tmp_path / "dumps" / "more.xml").write_text(DUMP)
    assert "another input (more.xml is new" in refusal(*arguments, cwd=tmp_path)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--output", "o"), "--output goes with --file, the edits to score in bulk"),
        (("--file", "a.xml", "--output", "o", "1"), "--output goes with --file"),
        (("--file", "a.xml", "--engine", "ray"), "--engine, --address and --workers go with"),
        (("--file", "a.parquet"), "a.parquet is scored in bulk: give --output FOLDER too"),
        (("--file", "."), ". is scored in bulk: give --output FOLDER too"),
        (("--file", "no.xml", "--output", "o"), "no.xml: there is no such file or folder."),
        (("--file", ".", "--output", "o", "--address", "x"), "--address goes with --engine ray"),
        (
            ("--file", ".", "--output", "o", "--engine", "ray", "--address", "x", "--workers", 2),
            "--workers are those of this machine",
        ),
        (
            ("--file", "a.xml", "--output", "a.xml"),
            "a.xml/_manifest.json: cannot be read (Not a directory); choose",
        ),
        (("--file", "a.xml", "--output", "/proc/o"), "/proc/o"),
        (("--file", "a.xml", "--output", "o", "--model", "no.npz"), "no.npz: the model file"),
        (("--file", "n.xml", "--output", "o"), "n.xml: the dump does not name its wiki (dbname)"),
        (("--file", "e.xml.bz2", "--output", "o"), "e.xml.bz2: the file breaks off"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, sentence, tmp_path):
    (tmp_path / "a.xml").write_text(DUMP)
    (tmp_path / "n.xml").write_text(dump([], head=HEAD.replace("papwiki", "")))
    (tmp_path / "e.xml.bz2").write_bytes(bz2.compress(DUMP.encode())[:1000])

    assert sentence in refusal("score", *arguments, cwd=tmp_path)
