"""What a process does of the whole."""

from collections.abc import Iterable
from enum import StrEnum


class Role(StrEnum):
    """A part of the work that a process may do alone or with others."""

    COLLECT = "collect"
    SCORE = "score"
    MATERIALISE = "materialise"
    SERVE = "serve"


EVERY = frozenset(Role)

ASKING = frozenset({Role.COLLECT, Role.SCORE, Role.SERVE})
"""Those that talk to the wikis."""


def in_order(roles: Iterable[Role]) -> list[Role]:
    """Return roles in the order of the flow."""
    chosen = set(roles)
    return [role for role in Role if role in chosen]
