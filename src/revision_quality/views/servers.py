"""What is said differently to each database server."""

MARIADB = ("mysql", "mariadb")
"""The names of the dialects of MariaDB and MySQL."""

_FORCED = "FORCE INDEX ({})"
_HINTS = {"sqlite": "INDEXED BY {}", **dict.fromkeys(MARIADB, _FORCED)}


def read_by(index: str, table: str, server: str) -> str:
    """Return a table of a statement that is to be read by an index.

    By itself a server guesses, by how common a value is on the whole; MariaDB by statistics that
    come late to a table that grows. PostgreSQL takes no hint.
    """
    hint = _HINTS.get(server)
    return f"{table} {hint.format(index)}" if hint else table
