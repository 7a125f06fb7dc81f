"""The first page in the mixed order, out of the latest edits.

Where the filters let through more than few, the page is made of edits of the last hours, of which
the index of all edits tells the ranks.
"""

from collections.abc import Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.depths import time_behind_likely
from revision_quality.recent_changes.facet_predicate import is_of_grades
from revision_quality.recent_changes.index import by_time
from revision_quality.recent_changes.newest_edits import grade_of_number
from revision_quality.recent_changes.ranking import GRADES, HIGH
from revision_quality.recent_changes.sparse import changes_at
from revision_quality.recent_changes.sql import Sql, either, every, rows
from revision_quality.views.change import Change

NUMBER = 8000
"""Edits looked at in the index, of which most filters fill a page."""

NUMBER_OF_COMMON = 1000
"""Where edits of little risk alone are asked for, of which there are many."""

_AT_MOST = 24_000
"""They take 6 ms in MariaDB (`benchmarks/recent_changes.py`)."""

_LEAST = 2000
"""Of the wikis asked for, among those: fewer hardly fill a page."""

_AMPLY = 1.2


def changes_of_latest(
    connection: Connection, asked: Asked, *, number: int | None = None
) -> list[Change] | None:
    """Return the first page of changes out of the latest edits, None where they are too few.

    `number` edits are looked at first, NUMBER or NUMBER_OF_COMMON if it is not given.
    """
    if len(asked.filters.wikis) == 1 or asked.share * _AT_MOST < _LEAST:
        return None
    if number is None:
        number = NUMBER if asked.grades[-1] >= GRADES[-HIGH] else NUMBER_OF_COMMON
    number = min(round(number / asked.share), _AT_MOST)
    for _ in range(2):
        behind = time_behind_likely(connection, number)
        since = max(behind, asked.earliest)
        # Of the edits before, none has a greater rank.
        is_all = behind <= asked.earliest
        least = 0 if is_all else since + max(map(asked.shift, asked.grades))
        ranks = _ranks_since(connection, asked, since, least)
        if is_all or len(ranks) >= asked.limit:
            return changes_at(connection, ranks[: asked.limit], asked)
        number = round(_AMPLY * number * asked.limit / max(len(ranks), 1))
        if number > _AT_MOST:
            break
    return None


def _ranks_since(connection: Connection, asked: Asked, since: int, least: int) -> Sequence[Cursor]:
    """Return the ranks of at least `least` of the edits that match, none older than `since`."""
    grades = [grade for grade in asked.grades if asked.now + asked.shift(grade) >= least]
    # A clock may be ahead of ours.
    of_grades = either((is_of_grades(grades), Sql(f"timestamp + 0 > {int(asked.now)}")))
    condition = asked.in_time if asked.is_told_by_facets else asked.matching
    where = every((of_grades, asked.possible(), condition(least=since), *asked.in_wikis()))
    table = by_time(connection.dialect.name)
    statement = Sql(
        f"SELECT timestamp, rev_id, wiki_id, facets FROM {table} WHERE {where.text}",  # noqa: S608
        where.values,
    )
    ranks = (
        Cursor(time + asked.shift(grade_of_number(facets)), rev_id, wiki_id)
        for time, rev_id, wiki_id, facets in rows(connection, statement)
    )
    return sorted((rank for rank in ranks if rank.timestamp >= least), reverse=True)
