"""The revisions of a Parquet file, judged as `revq score --file` judges lines of JSON."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from revision_quality.bulk.outcome_row import OutcomeRow, outcome_row
from revision_quality.bulk.parquet_rows import Row, read_rows
from revision_quality.errors import InvalidRevisionError
from revision_quality.events.meta import Number, Timestamp
from revision_quality.events.prediction_error import Outcome
from revision_quality.models.base import Prediction
from revision_quality.scoring.not_scored import NotScored
from revision_quality.scoring.scorer import Scorer
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.revision_data import read_revision_data

INVALID = "invalid_revision_data"


async def parquet_outcomes(
    path: Path, row_group: int, scorer: Scorer
) -> AsyncIterator[list[OutcomeRow]]:
    """Return a row for each row of a row group, in its order. Raises BulkError.

    What is no revision_data has failed with the reason INVALID, and as much of its key as is there.
    """
    for rows in read_rows(path, row_group):
        yield await judge_rows(rows, scorer)


async def judge_rows(rows: Sequence[Row], scorer: Scorer) -> list[OutcomeRow]:
    """Return one row for each revision_data object, in their order."""
    read = [_read(row) for row in rows]
    outcomes = iter(await scorer.predict([one for one in read if isinstance(one, Revision)]))
    return [
        _row(row, next(outcomes) if isinstance(one, Revision) else one, one)
        for row, one in zip(rows, read, strict=True)
    ]


def _read(row: Row) -> Revision | NotScored:
    try:
        revision = read_revision_data(row).revision
    except InvalidRevisionError as error:
        return NotScored(Outcome.FAILED, INVALID, str(error))
    if revision.rev_id != _known(row.get("id"), Number):
        message = f"{revision.rev_id} is no revision id."
        return NotScored(Outcome.FAILED, INVALID, message)
    return revision


def _row(row: Row, outcome: Prediction | NotScored, read: Revision | NotScored) -> OutcomeRow:
    page = row.get("page")
    return outcome_row(
        read.wiki_id if isinstance(read, Revision) else _known(row.get("wiki_id"), str) or "",
        _known(row.get("id"), Number),
        _known(page.get("id") if isinstance(page, dict) else None, Number),
        _known(row.get("timestamp"), Timestamp),
        outcome,
    )


def _known(value: Any, kind: Any) -> Any:
    """Return a value of a part's column, None where it is not of its kind."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return None
