"""What a hostile world sends: faulty answers, wrong addresses, a full disk."""

import random
import resource
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from urllib.parse import quote

import pytest

from tests.e2e.proxy import FAULTS, FaultyProxy
from tests.e2e.service import Service, refusal, settings_file, states

SEED = 7


@pytest.mark.mediawiki
@pytest.mark.timeout(400)
def test_a_third_of_all_answers_is_faulty_then_all_are(start_wiki, tmp_path):
    wiki = start_wiki("faulty_wiki")
    chance = random.Random(SEED)
    made = []

    def edit(number):
        for _ in range(number):
            title = f"Page {chance.randrange(10)}"
            made.append(wiki.edit(title, f"{chance.random()} {title}", chance.choice(["", "why"])))

    with (
        FaultyProxy(wiki.api_url, SEED) as proxy,
        Service("run", settings_file(tmp_path, proxy.api_url)) as revq,
    ):
        _ = revq.url
        proxy.share = 1 / 3
        edit(80)
        revq.until(lambda: len(revq.rows()) >= 60)
        proxy.share = 1
        edit(20)
        time.sleep(5)
        revq.until(lambda: "wiki cannot be polled, trying again" in revq.log, seconds=60)
        assert revq.page()
        proxy.share = 1 / 3
        edit(20)
        rows = revq.until(lambda: _all_dealt_with(revq, made), seconds=120)
        proxy.share = 0
        assert revq.stop() == 0
        log = revq.log

    by_reason = Counter(row["reason"] for row in rows if row["state"] != "scored")
    print(f"seed {SEED}: {dict(states(rows))}, {dict(by_reason)}")
    print(f"{proxy.answered.total()} requests: {dict(proxy.answered)}")
    assert proxy.answered.keys() >= FAULTS.keys()
    assert Counter(row["rev_id"] for row in rows if row["rev_id"] in made) == Counter(made)
    assert states(rows)["scored"] >= len(made) - 10 - by_reason["wiki_error"]
    assert all(row["reason"] and row["message"] for row in rows if row["state"] != "scored")
    assert "Traceback" not in log
    assert "wiki cannot be polled, trying again" in log


@pytest.mark.mediawiki
def test_a_text_that_is_too_large(mediawiki, tmp_path):
    mediawiki.configure("$wgMaxArticleSize = 4096;")
    small = mediawiki.edit("Large", "text")
    large = mediawiki.edit("Large", "All work and no play. " * 95_500)
    after = mediawiki.edit("Large", "text again")
    mediawiki.configure("")

    with Service("run", settings_file(tmp_path, mediawiki.api_url)) as revq:
        rows = {rev_id: revq.dealt_with(rev_id) for rev_id in (small, large, after)}

    assert rows[large]["size"] > 2_000_000
    for rev_id in (large, after):
        assert (rows[rev_id]["state"], rows[rev_id]["reason"]) == ("not_scorable", "text_too_large")
    assert rows[large]["message"] == (
        "The text is larger than 2,000,000 bytes, the most that this model reads."
    )


@pytest.mark.mediawiki
def test_wrong_addresses(mediawiki, tmp_path):
    root = mediawiki.api_url.removesuffix("/w/api.php")
    hint = "give the address of the wiki's api.php, as Special:Version names it"
    with FaultyProxy(mediawiki.api_url, faults=["HTML"]) as proxy:
        proxy.share = 1
        expected = {
            proxy.api_url: "does not answer as a MediaWiki API but with text/html;"
            f" charset=utf-8: {hint}",
            f"{root}/wiki/Main_Page": f"answers HTTP 404: {hint}",
            f"{root}/w/nowhere.php": f"answers HTTP 404: {hint}",
        }
        with ThreadPoolExecutor(len(expected)) as pool:
            sentences = pool.map(partial(_refused, tmp_path), expected)
            assert dict(zip(expected, sentences, strict=True)) == {
                url: f"{url} {rest}" for url, rest in expected.items()
            }


def test_addresses_where_nobody_answers_yet(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        closed_port = closed.getsockname()[1]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_port = silent.getsockname()[1]
        file = settings_file(
            tmp_path,
            f"http://127.0.0.1:{closed_port}/api.php",
            f"http://127.0.0.1:{silent_port}/api.php",
        )
        with Service("run", file, "--data", tmp_path / "data") as service:
            _ = service.url
            told = service.log
            assert service.stop() == 0
    hint = "check the address, and that the wiki is up"
    assert f"cannot be reached: All connection attempts failed: {hint}" in told
    assert f"has not answered within 15 seconds: {hint}" in told


@pytest.mark.parametrize("address", ["nonsense", "example.org/w/api.php", "ftp://example.org"])
def test_what_is_no_address(address, tmp_path):
    assert refusal("run", "--wiki", address, "--data", tmp_path) == (
        f"'{address}' is no web address: give the wiki's api.php,"
        " such as https://example.org/w/api.php"
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[web]\nprot = 80", "web.prot: no such setting, did you mean port?"),
        ("[[wikis]]\nurl = 'https://x'", "wikis[0].url: no such setting"),
        ("[[wikis]]\napi = 7", "wikis[0].api: expected `str`, got `int`"),
        ("[web]\nport = 70000", "web.port: expected `int` <= 65535"),
        ("[web\n", "not valid TOML: "),
    ],
)
def test_a_slip_in_the_settings(tmp_path, text, sentence):
    file = tmp_path / "revq.toml"
    file.write_text(text)

    assert refusal("run", file).startswith(f"{file}: {sentence}")


def test_a_full_disk(tmp_path):
    """The limit on the size of files stands for a full disk: every write fails, and then none."""
    arguments = ("--port", 0, "--no-open", "--data", tmp_path, "--speed", 1_000_000)
    with Service("demo", *arguments) as demo:
        demo.until(lambda: demo.rows("state=scored"))
        # Whether there is a score to be published just then is chance.
        while "scores cannot be published, trying again" not in demo.log:
            _fill_disk(demo)
        rows = demo.all_dealt_with(3000)
        assert demo.stop() == 0

    assert Counter((row["wiki_id"], row["rev_id"]) for row in rows).total() == 3000
    assert states(rows) == {"scored": 3000}
    assert "Traceback" not in demo.log
    assert "edits are stored again" in demo.log
    assert "scores are published again" in demo.log


def _fill_disk(demo):
    """Let every write fail until that is told of edits, then let them be until it is well again."""
    trouble, relief = "edits cannot be stored, trying again", "edits are stored again"
    before = demo.log
    _, hard = resource.prlimit(demo.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(demo.pid, resource.RLIMIT_FSIZE, (1, hard))
    demo.until(lambda: demo.log.count(trouble) > before.count(trouble))
    assert demo.rows("state=scored")
    resource.prlimit(demo.pid, resource.RLIMIT_FSIZE, (hard, hard))
    demo.until(lambda: demo.log.count(relief) > before.count(relief))


def _refused(folder, url):
    """Run a wiki that cannot be had, each in a folder of its own; return why it is refused."""
    return refusal("run", "--wiki", url, "--data", folder / quote(url, safe=""), "--port", 0)


def _all_dealt_with(revq, rev_ids):
    rows = revq.rows()
    is_done = set(rev_ids) <= {row["rev_id"] for row in rows} and "pending" not in states(rows)
    return rows if is_done else None
