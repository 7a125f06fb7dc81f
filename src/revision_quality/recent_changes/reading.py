"""Changes read by a condition."""

from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.index import by_key, by_time
from revision_quality.recent_changes.sql import Sql, every, rows
from revision_quality.views.change import Change
from revision_quality.views.change_rows import change_of, columns_sql


def walked_changes(
    connection: Connection, asked: Asked, *, since: int = 0, few: bool = False
) -> list[Change]:
    """Return a page of changes, newest first, none older than `since`, in Unix seconds.

    It walks from the newest to the oldest: of few among many it would take long without `since`
    (`newest`). Where `few` match, the facets in the index tell which rows to look up.
    """
    server = connection.dialect.name
    table = by_time(server, of_wiki=asked.are_wikis_apart)
    # Of one wiki, MariaDB takes its index for the order only if the wiki is not in it.
    last = "" if len(asked.filters.wikis) == 1 else ", wiki_id DESC"
    order = f"ORDER BY timestamp DESC, rev_id DESC{last} LIMIT {asked.limit}"
    matching = asked.matching(least=since)
    if not few:
        return read(connection, table, every((matching, *asked.in_wikis())), order)
    if not asked.is_told_by_facets:
        # MariaDB asks facets first only where it is to sort the rows.
        where = every((asked.possible(), matching, *asked.in_wikis()))
        return read(connection, table, where, sorted_page(asked.limit))
    found = every((asked.possible(), asked.in_time(least=since), *asked.in_wikis()))
    keys = f"SELECT wiki_id AS w, rev_id AS r FROM {table} WHERE {found.text} {order}"  # noqa: S608
    return read(
        connection,
        f"({keys}) AS k JOIN {by_key(server)} ON wiki_id = w AND rev_id = r",
        Sql(matching.text, found.values + matching.values),
        sorted_page(asked.limit),
    )


def sorted_page(limit: int) -> str:
    """Return the order of a page of few changes, newest first, that are looked up and sorted.

    Not by the plain time, which would tempt a server to walk through the index of all edits.
    """
    return f"ORDER BY timestamp + 0 DESC, rev_id DESC, wiki_id DESC LIMIT {limit}"


def read(connection: Connection, table: str, where: Sql, order: str = "") -> list[Change]:
    """Return the changes of a table, or of a join, that meet a condition."""
    columns = columns_sql(connection.dialect)
    text = f"SELECT {columns} FROM {table} WHERE {where.text} {order}"  # noqa: S608
    return list(map(change_of, rows(connection, Sql(text, where.values))))
