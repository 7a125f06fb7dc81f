import json
from pathlib import Path

import pytest

from revision_quality.errors import ModelError
from revision_quality.training.labelled import read_labelled_edits
from revision_quality.training.sources import training_files
from tests.training.make import rows, write


def test_an_edit_is_read_as_production_would_know_it(tmp_path: Path) -> None:
    (path, *_) = training_files(write(tmp_path, wikis=1))
    edits = list(read_labelled_edits(path))
    assert len(edits) == 120
    anonymous = next(edit for edit in edits if edit.revision.user.is_anonymous)
    assert anonymous.revision.user.edit_count is None
    assert anonymous.revision.user.registration_dt is None
    registered = next(edit for edit in edits if not edit.revision.user.is_anonymous)
    assert registered.revision.user.edit_count is not None
    assert {edit.weight for edit in edits if edit.label} == {1.0}


def test_plain_lines_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in rows("awiki", 3)))
    assert [edit.revision.rev_id for edit in read_labelled_edits(path)] == [2, 3, 4]


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps(next(rows("awiki"))) + "\n{}\n")
    with pytest.raises(ModelError, match=r"a\.jsonl, line 2: .*wiki_id"):
        list(read_labelled_edits(path))


@pytest.mark.parametrize("content", [b"", b"not xz", b"\xfd7zXZ\x00\x00"])
def test_a_broken_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.jsonl.xz"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"a\.jsonl\.xz"):
        list(read_labelled_edits(path))
