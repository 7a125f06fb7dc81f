"""`revq init`, `revq run` with its file, and `revq score`, against a real wiki and from a file."""

import json

import pytest

from revision_quality.demo import sample_edits
from tests.e2e.service import Service, refusal, revq
from tests.servers.mediawiki import ADMIN


@pytest.mark.mediawiki
def test_init_writes_what_run_reads(mediawiki, tmp_path):
    mediawiki.edit("By init", "text")
    rev_id = mediawiki.edit("By init", "other text")

    written = revq("init", "--wiki", mediawiki.api_url, cwd=tmp_path)
    again = refusal("init", "--wiki", mediawiki.api_url, cwd=tmp_path)
    with Service("run", "revq.toml", "--port", 0, cwd=tmp_path) as service:
        row = service.dealt_with(rev_id)
        assert service.stop() == 0

    assert written.returncode == 0
    assert written.stderr == ""
    assert written.stdout == (
        "revq.toml written for Loopback Wiki (my_wiki).\nStart with: revq run revq.toml\n"
    )
    assert f'api = "{mediawiki.api_url}"' in (tmp_path / "revq.toml").read_text()
    assert again == "revq.toml is there already: choose another with --out, or --force"
    assert row["state"] == "scored"
    assert (tmp_path / "revq-data/streams.sqlite").exists()


@pytest.mark.mediawiki
def test_revisions_of_a_wiki(mediawiki):
    created = mediawiki.edit("By hand", "text", user=ADMIN)
    edited = mediawiki.edit("By hand", "other text")
    script = [mediawiki.edit("User:Admin/x.js", f"// {n}", user=ADMIN) for n in range(2)][1]
    missing = 10**9
    rev_ids = (edited, created, missing, script, edited)

    done = revq("score", "--wiki", mediawiki.api_url, *rev_ids)
    first, *refused, second = answers = _answers(done)

    assert [answer["revision_id"] for answer in answers] == list(rev_ids)
    assert first == second
    assert first["wiki_db"] == "my_wiki"
    assert 0 < first["output"]["probabilities"]["true"] < 1
    assert [_reason(answer) for answer in refused] == [
        "page_creation",
        "revision_missing",
        "not_wikitext",
    ]


@pytest.mark.mediawiki
def test_a_score_by_hand_is_the_score_of_the_stream(mediawiki, tmp_path):
    mediawiki.edit("Both ways", "text", user=ADMIN)
    rev_id = mediawiki.edit("Both ways", "a text that is longer", "longer", user=ADMIN)

    with Service("run", "--wiki", mediawiki.api_url, "--data", tmp_path, "--port", 0) as service:
        row = service.dealt_with(rev_id)
    (answer,) = _answers(revq("score", "--wiki", mediawiki.api_url, rev_id))

    assert answer["output"]["probabilities"]["true"] == row["score"]
    assert (answer["model_name"], answer["model_version"]) == (
        row["model_name"], row["model_version"],
    )  # fmt: skip


@pytest.mark.parametrize("is_piped", [False, True], ids=["file", "stdin"])
def test_lines_of_revision_data(tmp_path, is_piped):
    good = [_revision_data(edit) for edit, _ in zip(sample_edits(), range(250), strict=False)]
    lines = [*good, "no json", "{}", "", json.dumps({"revision_data": json.loads(good[0])})]
    text = "\n".join(lines).encode()
    file = tmp_path / "revisions.jsonl"
    file.write_bytes(text)

    done = revq("score", "--file", "-", stdin=text) if is_piped else revq("score", "--file", file)
    answers = _answers(done)

    assert len(answers) == len(good) + 3
    assert [answer["revision_id"] for answer in answers[:250]] == [
        json.loads(line)["id"] for line in good
    ]
    assert all(0 < answer["output"]["probabilities"]["true"] < 1 for answer in answers[:250])
    assert answers[250]["error"].startswith("Unrecognized request format")
    assert answers[251]["detail"].startswith("Missing some required fields.")
    assert answers[252] == answers[0]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give --wiki URL and revision ids, or --file F"),
        (("--wiki", "http://127.0.0.1"), "give the revision ids to score behind --wiki URL"),
        (("--file", "-", "1"), "revision ids go with --wiki, not with --file"),
        (("--file", "nowhere"), "file nowhere cannot be read (No such file or directory)"),
        (
            ("--file", "-", "--model", "nowhere"),
            "nowhere: the model file cannot be read (No such file or directory).",
        ),
    ],
)
def test_what_score_cannot_do(arguments, sentence, tmp_path):
    assert refusal("score", *arguments, cwd=tmp_path) == sentence


def _answers(done):
    assert done.returncode == 0, done
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def _reason(answer):
    return answer["detail"].partition("Reason: ")[2].partition(".")[0]


def _revision_data(edit):
    """Write an edit of the sample as Lift Wing's clients would send it."""
    event = edit.event
    revision, page = event["revision"], event["page"]
    return json.dumps(
        {
            "id": revision["rev_id"],
            "lang": "en",
            "text": edit.text,
            "timestamp": revision["rev_dt"],
            "bytes": len(edit.text.encode()),
            "page": {
                "id": page["page_id"],
                "title": page["page_title"],
                "first_edit_timestamp": "2001-01-15T00:00:00Z",
            },
            "parent": {
                "id": revision["rev_parent_id"],
                "lang": "en",
                "text": edit.parent_text,
                "timestamp": revision["rev_dt"],
                "bytes": len(edit.parent_text.encode()),
            },
            "user": {"id": (revision.get("editor") or {}).get("user_id") or 0},
        }
    )
