"""The indices of the changes, and how a server is told which one to use.

By itself a server guesses, by how common a value is on the whole.
"""

_INDICES = {
    (False, False): "changes_time",
    (True, False): "changes_wiki_time",
    (False, True): "changes_facets",
    (True, True): "changes_wiki_facets",
}
_HINTS = {"sqlite": "INDEXED BY {}", "mariadb": "FORCE INDEX ({})", "mysql": "FORCE INDEX ({})"}
_KEYS = {"sqlite": "sqlite_autoindex_changes_1"}


def by_time(server: str, *, of_wiki: bool = False, of_facets: bool = False) -> str:
    """Return the table, read by time: of one wiki or all, of a number of facets or of all."""
    return _hinted(server, _INDICES[of_wiki, of_facets])


def by_key(server: str) -> str:
    """Return the table, looked up by wiki and revision whatever else is asked."""
    return _hinted(server, _KEYS.get(server, "PRIMARY"))


def _hinted(server: str, index: str) -> str:
    return f"changes {_HINTS.get(server, '').format(index)}"
