"""Which index has the edits of a wiki or of facets by time, and how a server is told to use it."""

_INDICES = {
    (False, False): "changes_time",
    (True, False): "changes_wiki_time",
    (False, True): "changes_facets",
    (True, True): "changes_wiki_facets",
}
_FORCED = {"sqlite": "INDEXED BY {}", "mariadb": "FORCE INDEX ({})", "mysql": "FORCE INDEX ({})"}


def name_of(of_wiki: bool, of_facets: bool) -> str:
    """Return the name of the index of edits of one wiki or all, of a number of facets or all."""
    return _INDICES[of_wiki, of_facets]


def forced(server: str, of_wiki: bool, of_facets: bool) -> str:
    """Return the hint behind the table's name, "" for a server that takes none."""
    return _FORCED.get(server, "").format(name_of(of_wiki, of_facets))
