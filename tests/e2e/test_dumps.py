"""`revq score --file DUMP`, `revq backfill` and `revq train DUMP` as their users run them."""

import bz2
import json
import sqlite3
from pathlib import Path

import pytest

from revision_quality.events import streams as names
from tests.e2e.service import refusal, revq
from tests.servers.mediawiki import ADMIN
from tests.training.histories.make import HEAD, PageOf, dump, story

PAGES = [PageOf(f"Page {n}", story("good:Zoe bad:Yan hidden:Xia")) for n in range(100)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "dump.xml.bz2"
    path.write_bytes(bz2.compress(dump(PAGES).encode()))
    return path


def answers(*arguments: object) -> list[dict]:
    done = revq("score", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def in_streams(data: Path) -> dict[str, int]:
    with sqlite3.connect(data / "streams.sqlite") as connection:
        rows = connection.execute(
            "SELECT name, count(*) FROM event JOIN stream USING (stream_id) GROUP BY name"
        )
        found = dict(rows)
    connection.close()
    return found


def test_each_revision_of_a_dump_is_answered_in_its_order(path):
    found = answers("--file", path)

    assert [answer["revision_id"] for answer in found] == list(range(1, 301))
    assert all("page_creation" in answer["detail"] for answer in found[::3])
    assert all(0 < answer["output"]["probabilities"]["true"] < 1 for answer in found[1::3])
    assert all("revision_hidden" in answer["detail"] for answer in found[2::3])
    assert {answer["wiki_db"] for answer in found[1::3]} == {"papwiki"}


def test_backfilling_twice_is_backfilling_once(path, tmp_path):
    first = revq("backfill", path, "--data", "data", cwd=tmp_path)
    once = in_streams(tmp_path / "data")
    second = revq("backfill", path, "--data", "data", cwd=tmp_path)

    where = f"They are in the streams in {tmp_path / 'data'}.\n"
    assert (first.returncode, first.stderr) == (0, "")
    assert first.stdout == f"papwiki: 300 edits: 100 scored, 200 not scorable. {where}"
    assert second.stdout == f"papwiki: no further edits. {where}"
    assert once == in_streams(tmp_path / "data")
    assert once == {names.PAGE_CHANGE: 300, names.PREDICTION: 100, names.PREDICTION_ERROR: 200}

    named = revq("backfill", path, "--data", "data", "--wiki-id", "my_wiki", cwd=tmp_path)
    assert named.stdout.startswith("my_wiki: 300 edits: 100 scored")
    for file in (tmp_path / "data").glob("streams.sqlite*"):
        file.unlink()
    anew = revq("backfill", path, "--data", "data", cwd=tmp_path)
    assert (anew.stdout, in_streams(tmp_path / "data")) == (first.stdout, once)


def test_only_later_edits_and_by_another_name(path, tmp_path):
    options = ("--since", "2024-01-12", "--wiki-id", "my_wiki", "--partial")
    done = revq("backfill", path, "--data", "data", *options, cwd=tmp_path)

    assert done.stdout.startswith("my_wiki: 37 edits: ")


@pytest.mark.parametrize("verb", [("score", "--file"), ("backfill",), ("train",)])
@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.xml", b"hello", "a.xml: not a whole XML dump"),
        ("a.xml", b"<html/>", "a.xml: not a MediaWiki XML dump, its first element is <html>."),
        ("a.xml.bz2", bz2.compress(dump(PAGES).encode())[:-20], "a.xml.bz2: the file breaks off"),
        ("a.xml.gz", b"not in gzip", "a.xml.gz: cannot be read (Not a gzipped file"),
        ("a.xml.7z", b"not 7z", "a.xml.7z: cannot be unpacked"),
        (
            "a.xml",
            dump(PAGES[:1], head=HEAD.replace("<dbname>papwiki</dbname>", "")).encode(),
            "a.xml: the dump does not name its wiki (dbname); give the wiki_id (--wiki-id).",
        ),
    ],
)
def test_what_is_no_whole_dump_is_one_sentence(verb, name, data, sentence, tmp_path):
    (tmp_path / name).write_bytes(data)

    assert refusal(*verb, name, cwd=tmp_path).startswith(sentence)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("score", "--file", "no.xml"), "no.xml: there is no such file."),
        (("backfill", "no.xml"), "no.xml: there is no such file."),
        (("train", "no.xml"), "no.xml: there is no such file or folder; a wiki is given by"),
        (("train", "no.xml", "--edits", 5), "--since, --edits and --access-token-env go with"),
        (("train", "http://127.0.0.1:9/w/api.php"), "http://127.0.0.1:9/w/api.php cannot be"),
        (("train", "http://127.0.0.1:9", "--wiki-id", "x"), "--wiki-id goes with dumps"),
        (("score", "--file", "a.jsonl", "--partial"), "--wiki-id and --partial go with an XML"),
        (("train", ".", "--evaluation", "no.json"), "--evaluation no.json: cannot be read (No"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(arguments, sentence, tmp_path):
    assert refusal(*arguments, cwd=tmp_path).startswith(sentence)


@pytest.mark.mediawiki
def test_a_dump_is_scored_as_the_wiki_is(mediawiki, tmp_path):
    """Of an address the wiki tells no more than the dump; an account's count is today's there."""
    mediawiki.edit("From a dump", "A town on a river.", user=ADMIN)
    edits = [mediawiki.edit("From a dump", f"A town on a river, {n}!!") for n in range(3)]
    (tmp_path / "dump.xml").write_bytes(mediawiki.dump())

    by_api = answers("--wiki", mediawiki.api_url, *edits)
    by_dump = {answer["revision_id"]: answer for answer in answers("--file", tmp_path / "dump.xml")}

    assert [by_dump[rev_id] for rev_id in edits] == by_api
    assert all("output" in answer for answer in by_api)
