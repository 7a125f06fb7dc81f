"""How many edits each user had made before a moment, counted on disk."""

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Protocol, Self

from msgspec import Struct

from revision_quality.errors import StoreError

_AT_ONCE = 10_000
_CACHE_KIB = 16_384


class UserHistory(Struct, frozen=True):
    """A user up to a moment: edits before it; the first one's time, or that of the registration."""

    prior_edits: int
    first_seen: datetime | None


class Users(Protocol):
    """Whoever knows the users' pasts."""

    def look_up(self, user_text: str, moment: datetime) -> UserHistory:
        """Return a user's past at the moment of one of its edits."""
        ...


class UserHistories:
    """Counts edits in a temporary SQLite file: memory does not grow with the users or edits.

    First `add` every edit, in any order, then `finish`, then `look_up`. Use as a context manager.
    `add` and `finish` raise StoreError.
    """

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="revq-users-")
        self._database = sqlite3.connect(Path(self._folder.name) / "users.sqlite")
        self._database.executescript(
            f"PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
            f"PRAGMA cache_size = -{_CACHE_KIB};"
            "CREATE TABLE edit (user INTEGER, at INTEGER);"
        )
        self._waiting: list[tuple[int, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()
        self._folder.cleanup()

    def add(self, user_text: str, moment: datetime) -> None:
        """Take note of an edit."""
        self._waiting.append((user_key(user_text), int(moment.timestamp())))
        if len(self._waiting) >= _AT_ONCE:
            self._flush()

    def finish(self) -> None:
        """Count, when all edits are there."""
        self._flush()
        with self._errors():
            self._database.executescript(
                "CREATE TABLE history (user INTEGER, at INTEGER, edits INTEGER, prior INTEGER,"
                " PRIMARY KEY (user, at)) WITHOUT ROWID;"
                "INSERT INTO history SELECT user, at, edits, sum(edits) OVER"
                " (PARTITION BY user ORDER BY at) - edits FROM"
                " (SELECT user, at, count(*) AS edits FROM edit GROUP BY user, at);"
                "DROP TABLE edit;"
            )

    def look_up(self, user_text: str, moment: datetime) -> UserHistory:
        """Return a user's past at the moment of one of its edits."""
        at = int(moment.timestamp())
        first, prior = self._database.execute(
            "SELECT (SELECT min(at) FROM history WHERE user = :user),"
            " (SELECT prior FROM history WHERE user = :user AND at = :at)",
            {"user": user_key(user_text), "at": at},
        ).fetchone()
        return UserHistory(prior or 0, datetime.fromtimestamp(at if first is None else first, UTC))

    def edits_from(self, user_text: str, moment: datetime) -> int:
        """Return how many edits a user made at a moment and after it."""
        (edits,) = self._database.execute(
            "SELECT sum(edits) FROM history WHERE user = ? AND at >= ?",
            (user_key(user_text), int(moment.timestamp())),
        ).fetchone()
        return int(edits or 0)

    def counted(self) -> Iterator[tuple[int, int, int]]:
        """Return (user_key, Unix seconds, edits then), in the order of the first two."""
        yield from self._database.execute("SELECT user, at, edits FROM history ORDER BY user, at")

    def _flush(self) -> None:
        with self._errors():
            self._database.executemany("INSERT INTO edit VALUES (?, ?)", self._waiting)
        self._waiting.clear()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(
                f"editors cannot be counted in {self._folder.name} ({error}): make room there, or"
                " name another folder for temporary files, TMPDIR"
            ) from error


def user_key(user_text: str) -> int:
    """Return a signed 64-bit number for a name.

    Rows are short, and two names in one are not to be expected.
    """
    return int.from_bytes(blake2b(user_text.encode(), digest_size=8).digest(), "big", signed=True)
