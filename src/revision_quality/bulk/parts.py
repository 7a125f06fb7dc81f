"""The output: a folder of Parquet parts, one for each partition."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec.structs import asdict

from revision_quality.bulk.outcome_row import OutcomeRow
from revision_quality.bulk.partition import Partition
from revision_quality.bulk.whole_file import remove_unfinished, whole_file
from revision_quality.errors import StoreError

ROWS_IN_GROUP = 50_000

SCHEMA = pa.schema(
    [
        pa.field("wiki_id", pa.string(), nullable=False),
        ("rev_id", pa.int64()),
        ("page_id", pa.int64()),
        ("rev_dt", pa.timestamp("us", "UTC")),
        pa.field("state", pa.string(), nullable=False),
        ("reason", pa.string()),
        ("score", pa.float64()),
        pa.field("model_name", pa.string(), nullable=False),
        pa.field("model_version", pa.string(), nullable=False),
    ]
)

Write = Callable[[Sequence[OutcomeRow]], None]


class Parts:
    """The parts in `folder`; one that is there is whole."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, number: int) -> Path:
        """Return where the part of a partition is, or will be."""
        return self.folder / f"part-{number:05}.parquet"

    def missing(self, partitions: Iterable[Partition]) -> list[Partition]:
        """Return the partitions that have no part yet."""
        return [one for one in partitions if not self.path(one.number).exists()]

    def rows(self, number: int) -> int:
        """Return how many edits a part has. Raises StoreError."""
        path = self.path(number)
        try:
            return int(pq.read_metadata(path).num_rows)
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"{path}: cannot be read ({error}); remove it, and run again."
            ) from error

    @contextmanager
    def writing(self, number: int, model_name: str, model_version: str) -> Iterator[Write]:
        """Give what writes a part's rows; the part is there when the block ends without an error.

        Raises StoreError.
        """
        model = {"model_name": model_name, "model_version": model_version}
        waiting: list[dict[str, object]] = []

        with (
            whole_file(self.path(number)) as new,
            pq.ParquetWriter(new, SCHEMA, compression="zstd") as file,
        ):

            def flush() -> None:
                file.write_table(pa.Table.from_pylist(waiting, SCHEMA))
                waiting.clear()

            def write(rows: Sequence[OutcomeRow]) -> None:
                waiting.extend(asdict(row) | model for row in rows)
                if len(waiting) >= ROWS_IN_GROUP:
                    flush()

            yield write
            flush()

    def tidy(self) -> None:
        """Remove what killed workers have left behind; to call when all parts are there."""
        remove_unfinished(self.folder)
