"""The editors' pasts over all files of a wiki, counted by many workers.

Each partition is counted by itself; then the counts are merged in shards, ranges of `user_key`,
which the scoring workers look users up in. All of it is files that are whole or not there, named
by their content, so that nothing is counted twice.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Self
from urllib.parse import quote

import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from revision_quality.bulk.partition import Partition
from revision_quality.bulk.whole_file import remove_unfinished, unwritable, whole_file
from revision_quality.errors import StoreError
from revision_quality.wiki.user_histories import UserHistories, UserHistory, user_key

FOLDER = "_editors"

SHARD_ROWS = 20_000_000
"""Counts in a shard: about 500 MB of SQLite, which a worker makes in two minutes."""

_ROWS_AT_ONCE = 4096
_GROUP_ROWS = 100_000
_KEYS = 2**64
_LOWEST_KEY = -(2**63)

_SCHEMA = pa.schema([("user", pa.int64()), ("at", pa.int64()), ("edits", pa.int64())])

Count = tuple[int, int, int]
"""user_key, Unix seconds, edits then."""


class Shard(Struct, frozen=True, kw_only=True):
    """Users with keys from `lowest` up to `beyond`, of all files in `counts`."""

    path: Path
    lowest: int
    beyond: int
    counts: tuple[Path, ...]


def counts_path(output: Path, partition: Partition) -> Path:
    """Return where the counts of a partition are, or will be."""
    return output / FOLDER / f"{partition.key}.parquet"


def save_counts(path: Path, users: UserHistories) -> None:
    """Write what was counted in a partition. Raises StoreError."""
    with whole_file(path) as new, pq.ParquetWriter(new, _SCHEMA) as file:
        for rows in _chunks(users.counted(), _GROUP_ROWS):
            columns = [pa.array(column, pa.int64()) for column in zip(*rows, strict=True)]
            file.write_table(pa.table(columns, schema=_SCHEMA))


def shards_of(
    output: Path, wiki_id: str, counts: Sequence[Path], at_most: int = SHARD_ROWS
) -> list[Shard]:
    """Return the shards of a wiki, of some `at_most` counts each. Raises StoreError."""
    rows = sum(_row_number(path) for path in counts)
    number = max(1, -(-rows // at_most))
    content = sha256(" ".join(sorted(path.name for path in counts)).encode()).hexdigest()[:16]
    edges = [_LOWEST_KEY + _KEYS * place // number for place in range(number + 1)]
    return [
        Shard(
            path=output / FOLDER / f"{wiki_id}-{content}-{place + 1}of{number}.sqlite",
            lowest=edges[place],
            beyond=edges[place + 1],
            counts=tuple(counts),
        )
        for place in range(number)
    ]


def make_shard(shard: Shard) -> None:
    """Merge the counts of a shard's users into its file. Raises StoreError."""
    with whole_file(shard.path) as new, _database(shard.path, str(new)) as database:
        database.execute("CREATE TEMP TABLE count (user INTEGER, at INTEGER, edits INTEGER)")
        database.execute(
            "CREATE TABLE history (user INTEGER, at INTEGER, prior INTEGER,"
            " PRIMARY KEY (user, at)) WITHOUT ROWID"
        )
        for path in shard.counts:
            counts = _read_counts(path, shard)
            database.executemany("INSERT INTO count VALUES (?, ?, ?)", counts)
        database.execute(
            "INSERT INTO history"
            " SELECT user, at, sum(edits) OVER (PARTITION BY user ORDER BY at) - edits FROM"
            " (SELECT user, at, sum(edits) AS edits FROM count GROUP BY user, at)"
        )


class Editors:
    """Looks users up in a wiki's shards, in the order of their keys. Use as a context manager."""

    def __init__(self, shards: Sequence[Path]) -> None:
        self._shards = [_open(path) for path in shards]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for shard in self._shards:
            shard.close()

    def look_up(self, user_text: str, moment: datetime) -> UserHistory:
        """Return a user's past at the moment of one of its edits, over all files."""
        key, at = user_key(user_text), int(moment.timestamp())
        first, prior = self._shard(key).execute(
            "SELECT (SELECT min(at) FROM history WHERE user = :user),"
            " (SELECT prior FROM history WHERE user = :user AND at = :at)",
            {"user": key, "at": at},
        ).fetchone()  # fmt: skip
        return UserHistory(prior or 0, datetime.fromtimestamp(at if first is None else first, UTC))

    def _shard(self, key: int) -> sqlite3.Connection:
        number = len(self._shards)
        # The inverse of the edges in `shards_of`, which are rounded down.
        return self._shards[((key - _LOWEST_KEY + 1) * number - 1) // _KEYS]


def tidy(output: Path) -> None:
    """Remove all counts: to call when every partition is scored."""
    folder = output / FOLDER
    if folder.is_dir():
        remove_unfinished(folder)
        for path in (*folder.glob("*.parquet"), *folder.glob("*.sqlite")):
            path.unlink(missing_ok=True)
        if not any(folder.iterdir()):
            folder.rmdir()


def _read_counts(path: Path, shard: Shard) -> Iterator[Count]:
    with _opened(path) as file:
        groups = [
            group
            for group in range(file.metadata.num_row_groups)
            if _overlaps(file.metadata.row_group(group).column(0).statistics, shard)
        ]
        for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=groups, use_threads=False):
            for count in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if shard.lowest <= count[0] < shard.beyond:
                    yield count


def _overlaps(users: pq.Statistics, shard: Shard) -> bool:
    return bool(users.max >= shard.lowest and users.min < shard.beyond)


def _row_number(path: Path) -> int:
    with _opened(path) as file:
        return int(file.metadata.num_rows)


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path, pre_buffer=False)
    except (OSError, pa.ArrowException) as error:
        raise StoreError(f"{path}: cannot be read ({error}); remove it, and run again.") from error


def _open(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"file:{quote(str(path))}?mode=ro&immutable=1", uri=True)
    except sqlite3.Error as error:
        raise StoreError(
            f"{path}: cannot be read ({error}); every machine must see the --output folder."
        ) from error


@contextmanager
def _database(path: Path, new: str) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(new, isolation_level=None)) as database:
            database.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;")
            yield database
            database.execute("COMMIT")
    except sqlite3.Error as error:
        raise unwritable(path, error) from error


def _chunks(counts: Iterator[Count], size: int) -> Iterator[list[Count]]:
    chunk: list[Count] = []
    for count in counts:
        chunk.append(count)
        if len(chunk) == size:
            yield chunk
            chunk = []
    if chunk:
        yield chunk
