"""The levels of one wiki and model version as they are kept, and what differs between two sets."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from msgspec import Struct

from revision_quality.levels.level import MeasuredLevel, Withheld

AUTOMATIC = "automatic"
"""Who chose, where nobody did by hand."""


class LevelSet(Struct, frozen=True, kw_only=True):
    """The levels that are offered, and those that are not.

    `fixed` are thresholds that somebody set by hand, by the name of the level. `note` says why the
    wiki has no levels of its own yet.
    """

    levels: tuple[MeasuredLevel, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    fixed: Mapping[str, float] = {}
    note: str = ""

    @property
    def thresholds(self) -> dict[str, float]:
        """The thresholds by the name of the level."""
        return {level.name: level.threshold for level in self.levels}


class StoredSet(Struct, frozen=True, kw_only=True):
    """A set of levels with its place in time.

    `since` is when it came into force and `measured` when its figures were last brought up to date,
    both Unix seconds; `chosen_by` is AUTOMATIC or a name.
    """

    wiki_id: str
    model: int
    number: int
    since: int
    chosen_by: str
    measured: int
    chosen: LevelSet


class LevelChange(Struct, frozen=True, kw_only=True):
    """A threshold that changed; None where the level was or is not offered."""

    at: datetime
    by: str
    level: str
    before: float | None
    after: float | None
    is_fixed: bool


def has_same_thresholds(one: LevelSet, other: LevelSet) -> bool:
    """Tell whether two sets flag the same edits, for the same reasons."""
    return (one.thresholds, dict(one.fixed)) == (other.thresholds, dict(other.fixed))


def log_of(sets: Sequence[StoredSet]) -> list[LevelChange]:
    """Return what sets of one wiki changed, both the newest first."""
    pairs = [*pairwise(sets), *((first, None) for first in sets[-1:] if first.number == 1)]
    return [change for newer, older in pairs for change in changes_of(newer, older)]


def changes_of(newer: StoredSet, older: StoredSet | None) -> Iterator[LevelChange]:
    """Return what a set changed of the one before it, None for the first."""
    before = older.chosen.thresholds if older else {}
    after, fixed = newer.chosen.thresholds, newer.chosen.fixed
    was_fixed = older.chosen.fixed if older else {}
    for name in dict.fromkeys([*before, *after]):
        is_other = before.get(name) != after.get(name)
        if is_other or (name in fixed) != (name in was_fixed):
            yield LevelChange(
                at=datetime.fromtimestamp(newer.since, UTC),
                by=newer.chosen_by,
                level=name,
                before=before.get(name),
                after=after.get(name),
                is_fixed=name in fixed,
            )


def write_set(chosen: LevelSet) -> str:
    """Return a set as JSON."""
    return msgspec.json.encode(chosen).decode()


def read_set(text: str) -> LevelSet:
    """Read a set from JSON; fields of a newer revq are passed over."""
    return msgspec.json.decode(text, type=LevelSet)
