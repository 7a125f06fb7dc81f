"""Whether edits get their scores: counted by what became of them in the changes view."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from revision_quality.alarms.alarm import Finding, Kind, Subject
from revision_quality.views.change import State

LEAST_EDITS = 100
"""Edits of a day from which on a share of them is told: one in a hundred must be more than one."""

_ENOUGH_TO_STAY = 0.5

LEAST_SILENT = 3
"""Edits without any outcome that make a silence."""


class Silence(NamedTuple):
    """Of a wiki's edits older than `minutes`, within the hour before: how many have an outcome."""

    edits: int
    with_outcome: int


def silence(wiki_id: str, found: Silence, minutes: float) -> Finding:
    """Tell whether edits come and none gets a score, or a reason why there is none."""
    waiting = found.edits - found.with_outcome
    return Finding(
        subject=Subject(kind=Kind.NO_SCORES, wiki_id=wiki_id),
        is_bad=found.with_outcome == 0 and waiting >= LEAST_SILENT,
        is_good=found.with_outcome > 0 or waiting == 0,
        message=f"{wiki_id}: no edit has got a score for {minutes:g} minutes, {waiting:,} wait.",
    )


def coverage(wiki_id: str, states: Mapping[str, int], least: float) -> Finding | None:
    """Tell whether the share of a day's edits that have a score, or can have none, is `least`.

    None for fewer than half of LEAST_EDITS; from there on an alarm may end, but none begins.
    """
    edits = sum(states.values())
    if edits < _ENOUGH_TO_STAY * LEAST_EDITS:
        return None
    covered = states.get(State.SCORED, 0) + states.get(State.NOT_SCORABLE, 0)
    share = covered / edits
    lacking = ", ".join(_lacking(states))
    return Finding(
        subject=Subject(kind=Kind.COVERAGE, wiki_id=wiki_id),
        is_bad=edits >= LEAST_EDITS and share < least,
        is_good=share >= (1 + least) / 2 or covered == edits,
        message=f"{wiki_id}: {share:.1%} of {edits:,} edits of the last day have a score or can"
        f" have none, {least:.0%} should ({lacking}).",
    )


def _lacking(states: Mapping[str, int]) -> Iterator[str]:
    for state in (State.PENDING, State.FAILED):
        if states.get(state):
            yield f"{states[state]:,} {state}"
