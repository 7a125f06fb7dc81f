"""Parquet in: every row has an outcome, the one that `revq score --file` gives its JSON."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.bulk.cutting import cut
from revision_quality.bulk.files import identify
from revision_quality.bulk.parquet_outcomes import INVALID, judge_rows, parquet_outcomes
from revision_quality.bulk.parquet_rows import read_rows
from revision_quality.cli.score import score_lines
from revision_quality.errors import BulkError
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.scorer import Scorer
from revision_quality.wiki.revision_data import read_revision_data
from tests.bulk.make import parquet, revision_data

ROWS = [revision_data(number) for number in range(1, 26)]


async def outcomes(path: Path, groups: int, model: Any) -> list[Any]:
    return [
        row
        for group in range(groups)
        async for rows in parquet_outcomes(path, group, Scorer(model))
        for row in rows
    ]


def with_columns(rows: list[dict[str, Any]], path: Path, **columns: pa.Array) -> Path:
    table = pa.Table.from_pylist(rows)
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, column)
    pq.write_table(table, path)
    return path


async def test_a_row_has_the_score_of_its_json(tmp_path):
    model = RevertRisk.load()
    path = parquet(ROWS, tmp_path / "a.parquet", row_group=10)

    found = await outcomes(path, 3, model)

    answers = score_lines(model, [json.dumps(row).encode() for row in ROWS])
    assert [row.score for row in found] == [
        answer["output"]["probabilities"]["true"] for answer in answers
    ]
    assert [row.rev_id for row in found] == [row["id"] for row in ROWS]
    assert (found[0].wiki_id, found[0].page_id, found[0].state) == ("enwiki", 5, "scored")
    assert found[0].rev_dt == datetime(2026, 11, 23, 8, tzinfo=UTC)


def test_a_partition_is_a_row_group(tmp_path):
    files = [parquet(ROWS, tmp_path / f"{name}.parquet", row_group=10) for name in "ab"]

    found = cut([(path, identify(path)) for path in files])

    assert [(one.number, one.path.name, one.row_group) for one in found] == [
        (3 * place + group, f"{name}.parquet", group)
        for place, name in enumerate("ab")
        for group in range(3)
    ]
    assert len({one.key for one in found}) == 3
    assert all(one.size > 0 for one in found)


def test_columns_may_have_dots_instead_of_structs(tmp_path):
    row = revision_data(1)
    flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
    for parent in ("page", "parent", "user"):
        flat |= {f"{parent}.{name}": value for name, value in row[parent].items()}
    path = parquet([flat], tmp_path / "a.parquet", row_group=10)

    assert len(cut([(path, identify(path))])) == 1
    assert list(read_rows(path, 0)) == [[row]]


def test_times_may_be_timestamps_and_without_a_zone_are_utc(tmp_path):
    moments = [datetime(2026, 11, 23, 8, n) for n in range(len(ROWS))]
    for zone in (None, "UTC"):
        column = pa.array(moments, pa.timestamp("ms", zone))
        (rows,) = read_rows(with_columns(ROWS, tmp_path / "a.parquet", timestamp=column), 0)
        assert rows[3]["timestamp"] == datetime(2026, 11, 23, 8, 3, tzinfo=UTC)
        assert read_revision_data(rows[3]).revision.rev_dt == rows[3]["timestamp"]


def test_what_is_null_is_left_out_and_a_null_comment_is_hidden(tmp_path):
    rows = [revision_data(1, comment="why"), revision_data(2, comment=None)]
    rows[0]["user"] |= {"edit_count": 3, "groups": ["*"], "is_temp": True}
    rows[1]["user"] |= {"edit_count": None, "groups": None, "is_temp": None}

    path = parquet(rows, tmp_path / "a.parquet", row_group=10)
    ((first, second),) = read_rows(path, 0)

    read = [read_revision_data(row).revision for row in (first, second)]
    assert [one.comment for one in read] == ["why", None]
    assert [one.user.edit_count for one in read] == [3, None]
    assert [one.user.is_temp for one in read] == [True, False]


async def test_a_row_that_lacks_a_field_has_failed_and_the_others_are_scored(tmp_path):
    rows = deepcopy(ROWS[:3])
    rows[1]["text"] = None
    path = parquet(rows, tmp_path / "a.parquet", row_group=10)

    found = await outcomes(path, 1, RevertRisk.load())

    assert [row.state for row in found] == ["scored", "failed", "scored"]
    assert (found[1].rev_id, found[1].page_id, found[1].reason) == (2, 5, INVALID)
    assert found[1].score is None


async def test_a_text_that_is_too_large_is_not_scorable(tmp_path):
    path = parquet([revision_data(1, text="x" * 2_000_001)], tmp_path / "a.parquet", row_group=10)

    (row,) = await outcomes(path, 1, RevertRisk.load())

    assert (row.state, row.reason, row.score) == ("not_scorable", "text_too_large", None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.datetimes(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*ROWS[0], "comment", "wiki_id"]), JSON, max_size=4))
async def test_whatever_is_in_a_row_it_has_an_outcome_that_a_part_takes(fields):
    (row,) = await judge_rows([ROWS[0] | fields], Scorer(RevertRisk.load()))

    assert (row.state == "scored") == (row.score is not None) == (row.reason is None)
    assert row.rev_id is None or 0 <= row.rev_id < 2**63
    assert row.page_id is None or 0 <= row.page_id < 2**63
    assert row.rev_dt is None or row.rev_dt.tzinfo is not None


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("text", "has no column text;"), ("parent", "has no column parent.id, parent.lang,")],
)
def test_a_file_without_a_column_is_told(name, sentence, tmp_path):
    rows = deepcopy(ROWS)
    for row in rows:
        del row[name]
    path = parquet(rows, tmp_path / "a.parquet", row_group=10)

    with pytest.raises(BulkError, match=sentence):
        cut([(path, identify(path))])


def test_what_is_no_parquet_is_told(tmp_path):
    path = tmp_path / "a.parquet"
    path.write_bytes(b"hello, I am no Parquet")

    with pytest.raises(BulkError, match=r"a\.parquet: cannot be read as Parquet"):
        cut([(path, identify(path))])
