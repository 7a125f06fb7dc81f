"""Parts and the manifest: there as a whole or not at all, of one input and one model."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from revision_quality.bulk import manifest as manifests
from revision_quality.bulk.files import SourceFile
from revision_quality.bulk.manifest import Manifest
from revision_quality.bulk.outcome_row import OutcomeRow
from revision_quality.bulk.partition import Partition
from revision_quality.bulk.parts import SCHEMA, Parts
from revision_quality.errors import StoreError

ROW = OutcomeRow(
    wiki_id="papwiki",
    rev_id=2,
    page_id=1,
    rev_dt=datetime(2026, 1, 1, tzinfo=UTC),
    state="scored",
    reason=None,
    score=0.1 + 0.2,
)
MANIFEST = Manifest(
    model_name="revertrisk",
    model_version="7",
    model_digest="ab",
    wiki_id=None,
    is_partial=False,
    partitions=1,
    files=(SourceFile("a.xml", 5, "cd"),),
)


def test_a_part_has_its_rows_and_the_model(tmp_path):
    parts = Parts(tmp_path)
    with parts.writing(3, "revertrisk", "7") as write:
        for _ in range(3):
            write([ROW] * 40_000)

    table = pq.read_table(tmp_path)
    assert table.schema.equals(SCHEMA)
    assert (parts.rows(3), table.num_rows) == (120_000, 120_000)
    assert table.slice(119_999).to_pylist() == [
        {
            "wiki_id": "papwiki",
            "rev_id": 2,
            "page_id": 1,
            "rev_dt": ROW.rev_dt,
            "state": "scored",
            "reason": None,
            "score": 0.1 + 0.2,
            "model_name": "revertrisk",
            "model_version": "7",
        }
    ]


def test_a_part_without_edits_is_one(tmp_path):
    with Parts(tmp_path).writing(0, "revertrisk", "7"):
        pass

    assert Parts(tmp_path).rows(0) == 0


def test_a_part_that_breaks_off_is_not_there(tmp_path):
    parts = Parts(tmp_path)

    def break_off() -> None:
        with parts.writing(0, "revertrisk", "7") as write:
            write([ROW])
            raise KeyError

    with pytest.raises(KeyError):
        break_off()

    assert list(tmp_path.iterdir()) == []
    partition = Partition(number=0, key="k", path=tmp_path, size=1)
    assert parts.missing([partition]) == [partition]


def test_a_folder_that_is_gone_is_told(tmp_path):
    parts = Parts(tmp_path / "gone")
    with pytest.raises(StoreError, match="cannot be written"), parts.writing(0, "r", "7"):
        pass


def test_a_part_of_something_else_is_told(tmp_path):
    Parts(tmp_path).path(0).write_bytes(b"hello")

    with pytest.raises(StoreError, match="remove it, and run again"):
        Parts(tmp_path).rows(0)


def test_what_a_killed_worker_left_is_no_part_and_goes(tmp_path):
    (tmp_path / ".part-00000.parquet.abc.new").write_bytes(b"half")
    parts = Parts(tmp_path)
    with parts.writing(0, "revertrisk", "7") as write:
        write([ROW])

    assert pq.read_table(tmp_path).num_rows == 1
    parts.tidy()
    assert [path.name for path in tmp_path.iterdir()] == ["part-00000.parquet"]


def test_the_manifest_is_passed_over_by_readers(tmp_path):
    manifests.save(tmp_path, MANIFEST)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "part-00000.parquet")

    assert pq.read_table(tmp_path).num_rows == 1
    manifests.check(tmp_path, MANIFEST)


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        ({"model_digest": "x"}, "another model, revertrisk 7; choose another --output"),
        ({"is_partial": True}, "another --wiki-id or --partial"),
        ({"wiki_id": "w"}, "another --wiki-id or --partial"),
        ({"files": (SourceFile("a.xml", 6, "ce"),)}, r"another input \(a.xml is new, gone or not"),
        ({"partitions": 2}, "cut in other partitions by another revq"),
    ],
)
def test_another_input_or_model_needs_another_folder(other, sentence, tmp_path):
    manifests.save(tmp_path, MANIFEST)

    with pytest.raises(StoreError, match=sentence):
        manifests.check(tmp_path, replace(MANIFEST, **other))


def test_a_folder_with_something_else_is_not_written_to(tmp_path):
    (tmp_path / "thesis.odt").touch()

    with pytest.raises(StoreError, match="is not empty; choose an empty or new folder"):
        manifests.check(tmp_path, MANIFEST)


def test_a_broken_manifest_is_told(tmp_path):
    (tmp_path / manifests.NAME).write_bytes(b"{")

    with pytest.raises(StoreError, match=r"_manifest\.json: cannot be read"):
        manifests.check(tmp_path, MANIFEST)


def test_a_folder_that_is_not_there_will_do(tmp_path):
    manifests.check(tmp_path / "new", MANIFEST)
    manifests.save(tmp_path / "new", MANIFEST)
    manifests.check(tmp_path / "new", MANIFEST)
