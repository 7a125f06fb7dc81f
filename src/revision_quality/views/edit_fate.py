"""What became of an edit, as the page's history tells it, for the row of a change."""

from collections.abc import Iterable

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.views import bulk
from revision_quality.views.incoming import Key
from revision_quality.views.tables import edit_labels


class EditFate(Struct, frozen=True):
    """`undone_dt` is when an edit was undone, in Unix seconds, 0 if it is not.

    `undone_by` is the revision that did so, 0 where it is not known.
    """

    undone_by: int = 0
    undone_dt: int = 0

    @property
    def is_reverted(self) -> bool:
        """Whether it is undone now."""
        return self.undone_dt > 0

    @property
    def reverted_by(self) -> int | None:
        """The revision that undid it, None where it is not known."""
        return self.undone_by or None

    @property
    def reverted_dt(self) -> int | None:
        """When it was undone."""
        return self.undone_dt or None


def read_fates(connection: Connection, keys: Iterable[Key]) -> dict[Key, EditFate]:
    """Return what became of those edits that the labels view knows."""
    columns = ("wiki_id", "rev_id", "undone_by", "undone_dt")
    found = bulk.read(connection, edit_labels, keys, columns=columns)
    return {(row[0], row[1]): EditFate(row[2], row[3]) for row in found}
