"""`revq score --file`: Lift Wing's objects in, its responses out, one for each line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from revision_quality.cli import score as module
from revision_quality.cli.score import score, score_lines
from revision_quality.errors import SettingsError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.wiki.revision import Revision
from tests.wiki.test_revision_data import DATA


class FakeModel:
    """Scores by the length of the text."""

    name = "revertrisk"
    version = "7"

    def score(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
        return [
            Unscored("text_too_large", "The text is too large.", is_final=True)
            if len(revision.text) > 100
            else Prediction(len(revision.text) / 100)
            for revision in revisions
        ]


def line(**fields: Any) -> bytes:
    return json.dumps(DATA | fields).encode()


def test_a_line_is_answered_as_lift_wing_does():
    (answer,) = score_lines(FakeModel(), [line(id=12, text="x" * 75)])

    assert answer == {
        "model_name": "revertrisk",
        "model_version": "7",
        "wiki_db": "enwiki",
        "revision_id": 12,
        "output": {"prediction": True, "probabilities": {"true": 0.75, "false": 0.25}},
    }


def test_the_object_may_be_wrapped_as_in_a_request():
    wrapped = json.dumps({"revision_data": DATA | {"id": 12}}).encode()

    assert score_lines(FakeModel(), [wrapped]) == score_lines(FakeModel(), [line(id=12)])


def test_each_line_has_its_answer_in_order_errors_included():
    lines = [
        line(id=1),
        b'{"id": 2, "tex',
        line(id=3, text="x" * 101),
        b"{}",
        line(id=5),
        b"\xff",
        b"[" * 100_000,
        b"null",
        line(id="nine"),
    ]

    answers = score_lines(FakeModel(), lines)

    assert [answer.get("revision_id") for answer in answers] == [
        *(1, None, 3, None, 5),
        *(None, None, None, None),
    ]
    assert answers[1]["error"].startswith("Unrecognized request format: ")
    assert answers[2]["detail"] == (
        "Could not make prediction for revision 3. Reason: text_too_large. The text is too large."
    )
    assert answers[3]["detail"].startswith("Missing some required fields. Required fields are `id`")
    assert answers[5]["error"].startswith("Unrecognized request format: ")
    assert answers[6]["error"].startswith("Unrecognized request format: ")
    assert answers[7]["detail"].startswith("Missing some required fields")
    assert "`$.id`" in answers[8]["detail"]


def test_no_lines_have_no_answers():
    assert score_lines(FakeModel(), []) == []


def test_a_file_is_answered_line_by_line(tmp_path: Path, monkeypatch, capsys):
    monkeypatch.setattr(module.RevertRisk, "load", lambda _: FakeModel())
    path = tmp_path / "edits.jsonl"
    path.write_bytes(b"\n".join([line(id=number) for number in range(250)] + [b"", b"  ", b"{"]))

    score(file=path)

    answers = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert [answer.get("revision_id") for answer in answers] == [*range(250), None]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "give --wiki URL and revision ids, or --file F"),
        ({"wiki": "https://x", "file": Path("f")}, "give --wiki URL and revision ids, or --file F"),
        ({"file": Path("f"), "revisions": [1]}, "revision ids go with --wiki"),
        ({"wiki": "https://x"}, "give the revision ids to score behind --wiki URL"),
    ],
)
def test_what_does_not_go_together_is_told(arguments, expected):
    with pytest.raises(SettingsError, match=expected):
        score(**arguments)


def test_a_file_that_is_not_there_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(module.RevertRisk, "load", lambda _: FakeModel())

    with pytest.raises(SettingsError, match=r"no\.jsonl cannot be read \(No such file"):
        score(file=tmp_path / "no.jsonl")
