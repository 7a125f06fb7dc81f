"""Identity reverts of one page's history, and what became of each of its revisions.

An identity revert restores exactly the text of an earlier revision, at most RADIUS revisions back
(Research:Identity revert on Meta-Wiki; the radius is that of Priedhorsky et al., 2007, and the
default of the mwreverts package, whose results `RevertDetector` gives).
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct

RADIUS = 15

T = TypeVar("T")


class Revert(Struct, frozen=True):
    """Revision number `reverting` has the text of number `reverted_to`; those between are undone.

    Numbers count the revisions of the page from 0.
    """

    reverting: int
    reverted_to: int

    @property
    def reverted(self) -> range:
        """The numbers of the revisions that it undoes, at least one."""
        return range(self.reverted_to + 1, self.reverting)


class RevertDetector:
    """Finds identity reverts in checksums given in order; keeps the last `radius` + 1."""

    def __init__(self, radius: int = RADIUS) -> None:
        self._recent: deque[str | None] = deque(maxlen=radius + 1)
        self._count = 0

    def process(self, checksum: str | None) -> Revert | None:
        """Take the next revision; `checksum` is None where its text is not known.

        A revision with the same text as the one right before it undoes nothing and is no revert.
        """
        number = self._count
        back = self._distance(checksum)
        self._recent.append(checksum)
        self._count += 1
        return Revert(number, number - back) if back > 1 else None

    def _distance(self, checksum: str | None) -> int:
        if checksum is None:
            return 0
        for back, earlier in enumerate(reversed(self._recent), 1):
            if earlier == checksum:
                return back
        return 0


class Fate(Enum):
    """What became of a revision.

    REVERTED: someone else undid it and its text did not come back. KEPT: no revert ever spans it.
    UNCLEAR: its own author undid it, it came back, or who undid it is not known.
    """

    REVERTED = "reverted"
    KEPT = "kept"
    UNCLEAR = "unclear"


class _Watched(Struct, Generic[T]):
    item: T
    number: int
    checksum: str | None
    user: str | None
    is_undone: bool = False
    undone_by_other_at: int | None = None
    came_back: bool = False

    @property
    def fate(self) -> Fate:
        if not self.is_undone:
            return Fate.KEPT
        if self.undone_by_other_at is None or self.came_back:
            return Fate.UNCLEAR
        return Fate.REVERTED


def fates(
    history: Iterable[T],
    mark: Callable[[T], tuple[str | None, str | None]],
    radius: int = RADIUS,
) -> Iterator[tuple[T, Fate]]:
    """Tell the fate of each revision of one page's history, oldest first.

    `mark` returns the checksum of a revision's text and the name of its editor, each None where
    hidden. A text comes back if one of the `radius` revisions after its revert has it again. At
    most 2 * `radius` + 1 revisions are kept.
    """
    detector = RevertDetector(radius)
    watched: deque[_Watched[T]] = deque()
    for number, item in enumerate(history):
        checksum, user = mark(item)
        _see_again(watched, number, checksum, radius)
        watched.append(_Watched(item, number, checksum, user))
        revert = detector.process(checksum)
        if revert:
            _undo(watched, revert, user)
        while watched and _is_settled(watched[0], number, radius):
            settled = watched.popleft()
            yield settled.item, settled.fate
    for left in watched:
        yield left.item, left.fate


def _see_again(
    watched: Iterable[_Watched[T]], number: int, checksum: str | None, radius: int
) -> None:
    if checksum is None:
        return
    for one in watched:
        undone_at = one.undone_by_other_at
        if undone_at is not None and one.checksum == checksum and number - undone_at <= radius:
            one.came_back = True


def _undo(watched: Iterable[_Watched[T]], revert: Revert, by: str | None) -> None:
    for one in watched:
        if one.number not in revert.reverted:
            continue
        one.is_undone = True
        is_by_other = by is not None and one.user is not None and by != one.user
        if is_by_other and one.undone_by_other_at is None:
            one.undone_by_other_at = revert.reverting


def _is_settled(one: _Watched[T], number: int, radius: int) -> bool:
    since = one.number if one.undone_by_other_at is None else one.undone_by_other_at
    return number - since >= radius
