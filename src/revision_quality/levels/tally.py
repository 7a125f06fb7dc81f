"""How the counts change as edits, their labels and their scores do."""

from collections import defaultdict

from sqlalchemy import Connection

from revision_quality.levels.counts import BINS, KINDS, Label, bin_of
from revision_quality.levels.edit import Edit, day_of
from revision_quality.levels.scores import EditScores
from revision_quality.views import bulk
from revision_quality.views.tables import level_counts

CellKey = tuple[str, int, int, int]
"""The wiki_id, the model's number, the day and the cell."""

_LABELS = len(Label)
_PLACES = {kind: place for place, kind in enumerate(KINDS)}


def cell_of(kind: str, label: int, score: float) -> int:
    """Return the number of the cell in which an edit is counted."""
    return (_PLACES[kind] * _LABELS + label) * BINS + bin_of(score)


def parts_of(cell: int) -> tuple[str, int, int]:
    """Return the kind of editor, the label and the bin of a cell."""
    rest, place = divmod(cell, BINS)
    kind, label = divmod(rest, _LABELS)
    return KINDS[kind], label, place


class Tally:
    """What is to be added to the counts, and taken away."""

    def __init__(self) -> None:
        self._changes: defaultdict[CellKey, int] = defaultdict(int)

    def replace(
        self, old: Edit | None, old_scores: EditScores, new: Edit | None, new_scores: EditScores
    ) -> None:
        """Count an edit as it is now, and no longer as it was; None where it is not there."""
        self._add(old, old_scores, -1)
        self._add(new, new_scores, 1)

    def _add(self, edit: Edit | None, scores: EditScores, number: int) -> None:
        if edit is None or not edit.is_counted or not scores:
            return
        day, kind, label = day_of(edit.timestamp), edit.kind, edit.label
        for model, score in scores.items():
            self._changes[edit.wiki_id, model, day, cell_of(kind, label, score.score)] += number

    def changes(self) -> list[tuple[CellKey, int]]:
        """Return what is to be added, in the order of the keys."""
        return sorted((cell, number) for cell, number in self._changes.items() if number)


def add_counts(connection: Connection, tally: Tally) -> None:
    """Add to the counts what has changed."""
    rows = [(*cell, number) for cell, number in tally.changes()]
    bulk.write(connection, level_counts, rows, bulk.merging(level_counts, "number", bulk.total))
