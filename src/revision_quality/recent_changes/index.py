"""The table of changes, to be read by one of its indices."""

from revision_quality.recent_changes.facet_predicate import grade_in
from revision_quality.recent_changes.sql import Sql
from revision_quality.views.servers import MARIADB, read_by

_INDICES = {
    (False, False): "changes_time",
    (True, False): "changes_wiki_time",
    (False, True): "changes_facets",
    (True, True): "changes_wiki_facets",
}
_KEYS = {"sqlite": "sqlite_autoindex_changes_1"}


def by_time(server: str, *, of_wiki: bool = False, of_facets: bool = False) -> str:
    """Return the table, read by time: of one wiki or all, of a number of facets or of all."""
    return read_by(_INDICES[of_wiki, of_facets], "changes", server)


def by_grade(server: str) -> str:
    """Return the table, read by time, of one grade of the score (`of_grade`)."""
    return read_by("changes_grade_time", "changes", server)


def of_grade(grade: int, server: str) -> Sql:
    """Return the condition on a grade that the index of the grades serves."""
    column = "grade" if server in MARIADB else grade_in("facets")
    return Sql(f"{column} = {grade}")


def by_key(server: str) -> str:
    """Return the table, looked up by wiki and revision whatever else is asked."""
    return read_by(_KEYS.get(server, "PRIMARY"), "changes", server)
