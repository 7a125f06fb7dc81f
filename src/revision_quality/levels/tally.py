"""How the counts change as edits, their labels and their scores do."""

from collections import Counter
from collections.abc import Iterable

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
        self._changes: Counter[CellKey] = Counter()

    def replace(
        self, old: Edit | None, old_scores: EditScores, new: Edit | None, new_scores: EditScores
    ) -> None:
        """Count an edit as it is now, and no longer as it was; None where it is not there."""
        for cell in _cells(old, old_scores):
            self._changes[cell] -= 1
        for cell in _cells(new, new_scores):
            self._changes[cell] += 1

    def changes(self) -> list[tuple[CellKey, int]]:
        """Return what is to be added, in the order of the keys."""
        return sorted((cell, number) for cell, number in self._changes.items() if number)


def add_counts(connection: Connection, tally: Tally) -> None:
    """Add to the counts what has changed."""
    added = bulk.upsert(connection, level_counts, "number", bulk.total)
    columns = ("wiki_id", "model", "day", "cell", "number")
    values = [dict(zip(columns, (*cell, number), strict=True)) for cell, number in tally.changes()]
    if values:
        connection.execute(added, values)


def _cells(edit: Edit | None, scores: EditScores) -> Iterable[CellKey]:
    if edit is None or not edit.is_counted or not scores:
        return
    day = day_of(edit.timestamp)
    for model, score in scores.items():
        yield edit.wiki_id, model, day, cell_of(edit.kind, edit.label, score.score)
