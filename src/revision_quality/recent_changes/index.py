"""The table of changes, to be read by one of its indices."""

from revision_quality.views.servers import read_by

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


def by_key(server: str) -> str:
    """Return the table, looked up by wiki and revision whatever else is asked."""
    return read_by(_KEYS.get(server, "PRIMARY"), "changes", server)
