"""What patrollers say of one edit, and the label that it gives."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from revision_quality.events.verdict import Verdict
from revision_quality.levels.counts import Label


class Said(Struct, frozen=True, order=True, array_like=True):
    """An author's verdict: when it was given (Unix ms), its event's id, whether it is damaging."""

    given_dt: int
    id: str
    is_damaging: bool


Verdicts = Mapping[str, Said]
"""The latest verdict of each author, by a fingerprint of the name."""


def said(verdict: Verdict, given_dt: int, identifier: str) -> Said:
    """Return what a verdict says of the edit: only `damaging` says that it is."""
    return Said(given_dt, identifier, verdict is Verdict.DAMAGING)


def with_said(stored: str | None, author: str, new: Said) -> str:
    """Return the stored verdicts with one more; of an author the latest stays, in any order."""
    known = _read(stored)
    latest = max(new, known.get(author, new))
    return msgspec.json.encode({**known, author: latest}, order="sorted").decode()


def label_said(stored: str | None) -> Label | None:
    """Return the label that most authors give, None where as many say one thing as the other."""
    if not stored:
        return None
    authors = _read(stored).values()
    for_damaging = sum(1 if each.is_damaging else -1 for each in authors)
    if not for_damaging:
        return None
    return Label.REVERTED if for_damaging > 0 else Label.KEPT


def _read(stored: str | None) -> dict[str, Said]:
    return msgspec.json.decode(stored, type=dict[str, Said]) if stored else {}
