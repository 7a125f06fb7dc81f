"""How far back a number of edits reaches, which bounds how many a statement looks at."""

from collections.abc import Sequence

from sqlalchemy import Connection

from revision_quality.recent_changes.cursor import Cursor

Place = tuple[str, int | None]
"""A wiki_id or EVERY_WIKI, and a number of facets or None for all."""


_FORCED = {"sqlite": "INDEXED BY {}", "mariadb": "FORCE INDEX ({})", "mysql": "FORCE INDEX ({})"}
_INDICES = {
    (False, False): "changes_time",
    (True, False): "changes_wiki_time",
    (False, True): "changes_facets",
    (True, True): "changes_wiki_facets",
}
"""The index of the places, by whether they name a wiki and facets."""


def times_behind(
    connection: Connection, places: Sequence[Place], number: int, before: Cursor | None
) -> list[int]:
    """Return, for each place with more than `number` edits, the time of the one behind those.

    Counted from the newest on, or from the second before the cursor's. In one statement by hand:
    SQLAlchemy takes longer for fifty parts than the server, and of subqueries that refer to a row
    MariaDB does not look up the time.
    """
    if not places:
        return []
    dialect = connection.dialect
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    end = f" AND timestamp < {before.timestamp}" if before else ""
    forced = _FORCED.get(dialect.name, "")
    parts = []
    for place, (wiki_id, facets) in enumerate(places):
        of_wiki = f"wiki_id = {mark}" if wiki_id else "1 = 1"
        of_facets = "" if facets is None else f" AND facets = {facets}"
        name = _INDICES[bool(wiki_id), facets is not None]
        index = forced.format(name)
        nth = f"SELECT timestamp FROM changes {index} WHERE {of_wiki}{of_facets}{end}"  # noqa: S608
        nth += f" ORDER BY timestamp DESC LIMIT 1 OFFSET {number}"
        parts.append(f"SELECT timestamp FROM ({nth}) AS p{place}")  # noqa: S608, numbers and marks
    values = tuple(wiki_id for wiki_id, _ in places if wiki_id)
    return list(connection.exec_driver_sql(" UNION ALL ".join(parts), values).scalars())
