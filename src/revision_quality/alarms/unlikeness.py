"""How unlike the usual the edits of a window are, told by editors and not by edits."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from revision_quality.alarms.reference import OF_ONE_EDITOR, Distance
from revision_quality.views.change import UserLevel

LEAST_EDITORS = 8
"""Editors from which on a window tells anything."""

_STRANGERS = frozenset({UserLevel.UNREGISTERED, UserLevel.NEWCOMER})

_COMMON_TO_STRANGERS, _COMMON_TO_OTHERS = 0.3, 0.1
"""Variance that editors of a group have in common, with that of one editor as 1: vandals come in
waves, of one person with many addresses too, so that a hundred strangers tell no more than three
who came independently. Chosen on half of the wikis (docs/alarms.md)."""


class Unlikeness(NamedTuple):
    """Standard deviations by which scores are higher, and more edits flagged, than usual."""

    score: float
    flag: float


class _Editor:
    """Sums over the edits of one editor."""

    __slots__ = ("edits", "flag", "score", "spread")

    def __init__(self) -> None:
        self.edits = 0
        self.score = self.spread = self.flag = 0.0


def unlikeness(window: Iterable[Distance]) -> Unlikeness | None:
    """Return how unlike the usual a window is, its latest edit first; None for too few editors.

    The mean over the editors of each group, with a random effect of the group (DerSimonian and
    Laird 1986), then over the groups: strangers and others. The scores of an editor count by how
    little they are usually spread, as a shift of all log odds shows there.
    """
    others: dict[str, _Editor] = {}
    strangers: dict[str, _Editor] = {}
    for edit in window:
        group = strangers if edit.kind in _STRANGERS else others
        editor = group.get(edit.editor)
        if editor is None:
            editor = group[edit.editor] = _Editor()
        if editor.edits < OF_ONE_EDITOR:
            editor.edits += 1
            editor.score += edit.score
            editor.spread += edit.spread
            editor.flag += edit.flag
    if len(others) + len(strangers) < LEAST_EDITORS:
        return None
    score = weight = flag = of_flag = 0.0
    for group, common in ((others, _COMMON_TO_OTHERS), (strangers, _COMMON_TO_STRANGERS)):
        each = 1 / (1 + len(group) * common)
        for one in group.values():
            score += each * one.score / one.spread
            weight += each * (one.edits / one.spread) ** 2
            flag += each * one.flag / one.edits
        of_flag += each * len(group)
    return Unlikeness(score / math.sqrt(weight), flag / math.sqrt(of_flag))
