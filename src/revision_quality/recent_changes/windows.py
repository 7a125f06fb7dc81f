"""A page in an order by risk, out of the edits of each grade next to where the page begins.

A grade has its edits of the next ranks in a window of time of its own, and most filters fill a page
from few edits of each window. The index of the grades has all that most filters ask.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import Place, times_behind_likely
from revision_quality.recent_changes.index import by_grade, of_grade
from revision_quality.recent_changes.sparse import changes_at
from revision_quality.recent_changes.sql import Sql, every, joined, rows
from revision_quality.recent_changes.tagged import of_tags
from revision_quality.views.change import Change

_OF_LIMIT = 1.5
"""Edits of the densest window looked at for each row of a page, with which most filters fill it."""

_AT_MOST = 6000
"""The others have, for the same time, about as many together: in MariaDB it takes 10 ms."""

_AT_MOST_OF_TAGS = 2000
"""The same where each is looked up for its tags."""

_OF_COUNTED = 32
"""One of so many edits is counted to tell how far a window reaches."""

_TIMES = 10
"""Looking again pays if a page is likely among so many times more edits: fewer tell little."""

_AMPLY = 1.5


def changes_in_windows(
    connection: Connection, asked: Asked, grades: Sequence[int], *, each: int | None = None
) -> list[Change] | None:
    """Return a page of changes of some grades out of the edits in their windows.

    `each` edits or so are looked at in the densest first, as many as likely are enough if it is not
    given. It is None where they are too few: likely, or all that there are.
    """
    if asked.share * _AT_MOST < asked.limit:
        return None
    if each is None:
        each = min(round(_OF_LIMIT * asked.limit / asked.share), _AT_MOST)
    for _ in range(2):
        ranks, least = _look(connection, asked, grades, each)
        if len(ranks) >= asked.limit:
            return changes_at(connection, ranks, asked)
        more = _more(asked, each, ranks)
        if not least or more > _AMPLY * min(_TIMES * each, _AT_MOST):
            break
        each = min(more, _AT_MOST)
    return None


def tagged_in_windows(
    connection: Connection, asked: Asked, grades: Sequence[int], *, at_most: int = _AT_MOST_OF_TAGS
) -> tuple[list[Change], int]:
    """Return a page out of the windows, short if they are too few, and the rank of its end.

    That is 0 where the page is full, or they hold all that there are. For filters by tags, which no
    index of the grades tells.
    """
    each = min(round(_OF_LIMIT * asked.limit), at_most)
    while True:
        ranks, least = _look(connection, asked, grades, each)
        if len(ranks) >= asked.limit or not least:
            return changes_at(connection, ranks, asked), 0
        if each == at_most:
            return changes_at(connection, ranks, asked), least
        each = min(_more(asked, each, ranks), at_most)


def _more(asked: Asked, each: int, ranks: Sequence[Cursor]) -> int:
    """Return how many edits of a window likely are enough, where of `each` these match."""
    return round(_AMPLY * each * asked.limit / max(len(ranks), 1))


def _look(
    connection: Connection, asked: Asked, grades: Sequence[int], each: int
) -> tuple[list[Cursor], int]:
    """Return the first ranks in windows of which the densest likely has so many edits, and where
    the windows end.
    """
    least = _least(connection, asked, grades, each)
    return _ranks_since(connection, asked, grades, least), least


def _least(connection: Connection, asked: Asked, grades: Sequence[int], each: int) -> int:
    """Return the least rank of which windows likely have no more than `each` edits.

    0 where no window has many.
    """
    since = asked.earliest
    places = [
        Place(grade=grade, since=since, until=asked.latest(moved), moved=moved)
        for grade, moved in ((grade, asked.shift(grade)) for grade in grades)
    ]
    return max(times_behind_likely(connection, places, each, of_counted=_OF_COUNTED), default=0)


def _ranks_since(
    connection: Connection, asked: Asked, grades: Sequence[int], least: int
) -> list[Cursor]:
    """Return the first ranks of a page, none of them less than `least`."""
    parts = joined(" UNION ALL ", _windows(connection.dialect.name, asked, grades, least))
    order = f" ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT {asked.limit}"
    statement = Sql(parts.text + order, parts.values)
    return [Cursor(time, rev_id, wiki) for time, rev_id, wiki in rows(connection, statement)]


def _windows(server: str, asked: Asked, grades: Sequence[int], least: int) -> Iterator[Sql]:
    # Facets are told by the index alone; a row is looked up for what else there is.
    condition = asked.in_time if asked.is_told_but_for_tags else asked.matching
    known = every((asked.possible(), *asked.in_wikis(), *of_tags(asked.filters)))
    for grade in grades:
        moved = asked.shift(grade)
        in_window = condition(least=least, moved=moved)
        where = every((of_grade(grade, server), known, in_window))
        yield Sql(
            f"SELECT * FROM (SELECT timestamp + {moved} AS time, rev_id, wiki_id"  # noqa: S608
            f" FROM {by_grade(server)} WHERE {where.text}"
            f" ORDER BY timestamp DESC, rev_id DESC, wiki_id DESC LIMIT {asked.limit}) AS g{grade}",
            where.values,
        )
