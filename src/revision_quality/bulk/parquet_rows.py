"""Revisions from Parquet: columns named as the fields of Lift Wing's revision_data.

A field of an object is a field of a struct column, or a column with a dot: `parent.text`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from revision_quality.errors import BulkError
from revision_quality.wiki.revision_data import REQUIRED

ROWS_AT_ONCE = 200
_BUFFER_BYTES = 1024 * 1024

Row = dict[str, Any]


def row_group_sizes(path: Path) -> list[int]:
    """Return each row group's bytes, unpacked. Raises BulkError where columns are missing."""
    with _opened(path) as file:
        names = {leaf.path.removesuffix(".list.element") for leaf in _leaves(file)}
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            raise BulkError(
                f"{path}: has no column {', '.join(missing)}; its columns must be named as the"
                " fields of Lift Wing's revision_data (docs/bulk.md)."
            )
        groups = range(file.metadata.num_row_groups)
        return [file.metadata.row_group(group).total_byte_size for group in groups]


def read_rows(path: Path, row_group: int) -> Iterator[list[Row]]:
    """Return a row group's rows as revision_data objects, some at a time. Raises BulkError.

    Times without a zone are UTC; what is null is left out, but for `comment`, where null is hidden.
    """
    with _opened(path) as file:
        batches = file.iter_batches(ROWS_AT_ONCE, row_groups=[row_group], use_threads=False)
        for batch in batches:
            yield [_nested(row) for row in batch.to_pylist()]


def _leaves(file: pq.ParquetFile) -> Iterator[Any]:
    return (file.schema.column(place) for place in range(len(file.schema)))


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with pq.ParquetFile(path, buffer_size=_BUFFER_BYTES, pre_buffer=False) as file:
            yield file
    except (OSError, ValueError, pa.ArrowException) as error:
        raise BulkError(f"{path}: cannot be read as Parquet ({error}).") from error


def _nested(row: Row) -> Row:
    data: Row = {}
    for name, value in row.items():
        *parents, last = name.split(".")
        place = data
        for parent in parents:
            place = place.setdefault(parent, {})
        if value is not None or name == "comment":
            place[last] = _plain(value)
    return data


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if item is not None}
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value
