"""Verdicts in the database: of each author the latest on each edit, whatever order they come in."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from operator import itemgetter
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import astuple
from sqlalchemy import ColumnElement, Connection, delete, select

from revision_quality.events.verdict import VerdictEvent
from revision_quality.views import bulk
from revision_quality.views.tables import verdicts

_KEYS_AT_ONCE = 500
_ANY = select(verdicts.c.rev_id).limit(1)

Key = tuple[str, int]
T = TypeVar("T")


class GivenVerdict(Struct, frozen=True, gc=False):
    """A verdict as it is stored, in the order of the table's columns.

    `author` is the wiki user name, empty where none was named; `given_dt` is Unix milliseconds.
    """

    wiki_id: str
    rev_id: int
    author: str
    verdict: str
    comment: str
    id: str
    given_dt: int


class Tally(Struct, frozen=True):
    """How many authors have given a verdict on an edit, and the latest of these verdicts."""

    number: int = 0
    latest: str | None = None


NO_VERDICTS = Tally()


def given(event: VerdictEvent) -> GivenVerdict:
    """Read a verdict out of its event."""
    return GivenVerdict(
        wiki_id=event.wiki_id,
        rev_id=event.rev_id,
        author=event.by,
        verdict=event.verdict.value,
        comment=event.comment,
        id=event.meta.id or "",
        given_dt=int(event.dt.timestamp() * 1000),
    )


def take(
    connection: Connection, new: Sequence[GivenVerdict], keys: Iterable[Key]
) -> dict[Key, Tally]:
    """Store verdicts; return what is then said of each of their edits, and of `keys`."""
    wanted = {_key(one) for one in new} | set(keys)
    if not new and not _has_any(connection):
        return {}
    known = {(_key(one), one.author): one for one in of_edits(connection, wanted)}
    changed: dict[tuple[Key, str], GivenVerdict] = {}
    for one in new:
        place = (_key(one), one.author)
        if place not in known or _age(known[place]) < _age(one):
            known[place] = changed[place] = one
    bulk.write(connection, verdicts, [astuple(one) for one in changed.values()])
    return _tallies(known.values())


def of_edits(connection: Connection, keys: Iterable[Key]) -> list[GivenVerdict]:
    """Read the verdicts on some edits, the oldest first."""
    found = [
        GivenVerdict(*row)
        for condition in _conditions(keys)
        for row in connection.execute(select(verdicts).where(condition))
    ]
    return sorted(found, key=_age)


def newest(connection: Connection, wiki_id: str | None, limit: int) -> list[GivenVerdict]:
    """Read the newest verdicts of a wiki, of all wikis without one; the newest first."""
    columns = verdicts.c
    statement = select(verdicts).order_by(columns.given_dt.desc(), columns.id.desc()).limit(limit)
    if wiki_id is not None:
        statement = statement.where(columns.wiki_id == wiki_id)
    return [GivenVerdict(*row) for row in connection.execute(statement)]


def forget(connection: Connection, keys: Iterable[Key]) -> None:
    """Delete all verdicts on some edits."""
    for condition in _conditions(keys):
        connection.execute(delete(verdicts).where(condition))


def purge(connection: Connection, before: int) -> None:
    """Delete verdicts that are older than `before`, Unix seconds, and so are their edits."""
    connection.execute(delete(verdicts).where(verdicts.c.given_dt < before * 1000))


class _Views(Protocol):
    async def read(self, function: Callable[[Connection], T]) -> T: ...


class GivenVerdicts:
    """The verdicts of a changes view, for those who read them. Raises StoreError."""

    def __init__(self, view: _Views) -> None:
        self._view = view

    async def of_edit(self, wiki_id: str, rev_id: int) -> list[GivenVerdict]:
        """Return the verdicts on an edit, the oldest first."""
        return await self._view.read(lambda connection: of_edits(connection, [(wiki_id, rev_id)]))

    async def newest(self, wiki_id: str | None, limit: int) -> list[GivenVerdict]:
        """Return the newest verdicts of a wiki, of all wikis without one; the newest first."""
        return await self._view.read(lambda connection: newest(connection, wiki_id, limit))


def _tallies(known: Iterable[GivenVerdict]) -> dict[Key, Tally]:
    found: dict[Key, Tally] = {}
    for one in sorted(known, key=_age):
        number = found.get(_key(one), NO_VERDICTS).number
        found[_key(one)] = Tally(number + 1, one.verdict)
    return found


def _conditions(keys: Iterable[Key]) -> Iterator[ColumnElement[bool]]:
    """Name edits wiki by wiki: MariaDB looks up lists of pairs slowly."""
    columns = verdicts.c
    for wiki_id, found in groupby(sorted(keys), key=itemgetter(0)):
        rev_ids = (rev_id for _, rev_id in found)
        while part := list(islice(rev_ids, _KEYS_AT_ONCE)):
            yield (columns.wiki_id == wiki_id) & columns.rev_id.in_(part)


def _has_any(connection: Connection) -> bool:
    return connection.execute(_ANY).first() is not None


def _key(one: GivenVerdict) -> Key:
    return one.wiki_id, one.rev_id


def _age(one: GivenVerdict) -> tuple[int, str]:
    return one.given_dt, one.id
