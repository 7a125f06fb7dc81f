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
        self._reach = radius + 1
        self._recent: deque[str | None] = deque()
        self._last: dict[str, int] = {}
        """The number of the last revision with each checksum of `_recent`."""
        self._count = 0

    def process(self, checksum: str | None) -> Revert | None:
        """Take the next revision; `checksum` is None where its text is not known.

        A revision with the same text as the one right before it undoes nothing and is no revert.
        """
        number = self._count
        earlier = None
        if checksum is not None:
            earlier = self._last.get(checksum)
            self._last[checksum] = number
        self._recent.append(checksum)
        self._count += 1
        if self._count > self._reach:
            self._forget(number - self._reach)
        return None if earlier is None or earlier == number - 1 else Revert(number, earlier)

    def _forget(self, number: int) -> None:
        checksum = self._recent.popleft()
        if checksum is not None and self._last[checksum] == number:
            del self._last[checksum]


class Fate(Enum):
    """What became of a revision.

    REVERTED: someone else undid it and its text did not come back. KEPT: no revert ever spans it.
    UNCLEAR: its own author undid it, it came back, or who undid it is not known.
    """

    REVERTED = "reverted"
    KEPT = "kept"
    UNCLEAR = "unclear"


class Judged(Struct, Generic[T], frozen=True, gc=False):
    """A revision with its fate.

    `undone_by` is the first by someone else that undid it, `undone_first` the first by anybody;
    `came_back` says that its text was there again after someone else undid it.
    """

    item: T
    fate: Fate
    undone_by: T | None
    undone_first: T | None = None
    came_back: bool = False


class _Watched(Struct, Generic[T], eq=False):
    item: T
    number: int
    checksum: str | None
    user: str | None
    undone_first: T | None = None
    undone_by_other_at: int | None = None
    undone_by: T | None = None
    came_back: bool = False

    @property
    def judged(self) -> Judged[T]:
        return Judged(self.item, self._fate, self.undone_by, self.undone_first, self.came_back)

    @property
    def _fate(self) -> Fate:
        if self.undone_first is None:
            return Fate.KEPT
        if self.undone_by_other_at is None or self.came_back:
            return Fate.UNCLEAR
        return Fate.REVERTED


Mark = tuple[str | None, str | None]
Told = Callable[[T], bool]
Pair = Callable[[T, T], bool]


def fates(
    history: Iterable[T], mark: Callable[[T], Mark], radius: int = RADIUS
) -> Iterator[tuple[T, Fate]]:
    """Tell the fate of each revision of one page's history, oldest first.

    `mark` returns the checksum of a revision's text and the name of its editor, each None where
    hidden. A text comes back if one of the `radius` revisions after its revert has it again. At
    most 2 * `radius` + 1 revisions are kept.
    """
    for each in judged(history, mark, radius):
        yield each.item, each.fate


def judged(
    history: Iterable[T],
    mark: Callable[[T], Mark],
    radius: int = RADIUS,
    *,
    also: Callable[[T], Told[T] | None] = lambda _later: None,
    counts: Pair[T] = lambda _earlier, _later: True,
) -> Iterator[Judged[T]]:
    """Tell the fate of each revision, and who undid it, as `fates` does.

    `also` returns, for a revision of which it is known that it undoes others whatever the checksums
    say, what tells them among the `radius` before it. Where `counts` does not hold for an earlier
    and a later revision, the later one has no bearing on the fate of the earlier.
    """
    detector = RevertDetector(radius)
    watched: deque[_Watched[T]] = deque()
    undone = _Undone[T](radius)
    for number, item in enumerate(history):
        checksum, user = mark(item)
        undone.see_again(number, item, checksum, counts)
        revert, told = detector.process(checksum), also(item)
        if revert or told:
            reverted = revert.reverted if revert else range(0)
            for one in watched:
                is_told = told and number - one.number <= radius and told(one.item)
                if (is_told or one.number in reverted) and counts(one.item, item):
                    undone.add(one, number, item, user)
        watched.append(_Watched(item, number, checksum, user))
        while watched and _is_settled(watched[0], number, radius):
            yield undone.pop(watched.popleft())
    for left in watched:
        yield left.judged


class _Undone(Generic[T]):
    """Those of the watched revisions that someone else undid, by their checksums."""

    def __init__(self, radius: int) -> None:
        self._radius = radius
        self._by_text: dict[str, list[_Watched[T]]] = {}

    def add(self, one: _Watched[T], number: int, item: T, by: str | None) -> None:
        """Note that `item` undoes `one`."""
        one.undone_first = one.undone_first or item
        is_by_other = by is not None and one.user is not None and by != one.user
        if is_by_other and one.undone_by_other_at is None:
            one.undone_by_other_at, one.undone_by = number, item
            if one.checksum is not None:
                self._by_text.setdefault(one.checksum, []).append(one)

    def see_again(self, number: int, item: T, checksum: str | None, counts: Pair[T]) -> None:
        """Note which have come back with `item`."""
        if checksum is None:
            return
        for one in self._by_text.get(checksum, ()):
            since = one.undone_by_other_at or 0
            if number - since <= self._radius and counts(one.item, item):
                one.came_back = True

    def pop(self, one: _Watched[T]) -> Judged[T]:
        """Return what became of a revision that is watched no longer."""
        if one.undone_by_other_at is not None and one.checksum is not None:
            left = self._by_text[one.checksum]
            left.remove(one)
            if not left:
                del self._by_text[one.checksum]
        return one.judged


def _is_settled(one: _Watched[T], number: int, radius: int) -> bool:
    since = one.number if one.undone_by_other_at is None else one.undone_by_other_at
    return number - since >= radius
