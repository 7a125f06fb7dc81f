"""Where the edits of a page come from: those of each number of facets, which an index has by time.

There are some thousands of numbers of which a filter takes some (`change_facets`). The newest edit
of each number tells which numbers a page can have rows of, and the rows of some of those tell from
what *rank* on (`ranking`) there are enough of them. Its cost grows with the numbers and the rows of
a page, not with the edits.
"""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from sqlalchemy import Connection

from revision_quality.recent_changes.asked import Asked
from revision_quality.recent_changes.depths import Place, newest_times
from revision_quality.recent_changes.facet_predicate import is_of_grades, to_facets
from revision_quality.recent_changes.newest_edits import Numbers, grade_of_number, newest_edits
from revision_quality.recent_changes.query import possible_in, sure_in
from revision_quality.recent_changes.ranking import GRADES
from revision_quality.recent_changes.sql import FALSE, every, one_of
from revision_quality.views.facets import EVERY_WIKI

_FEW = 8
"""Sources whose rows are looked at first: of those with the newest edits, the one with the most is
likely among them."""

_OF_UNSURE = 3
"""Of so many edits that may match, one likely does."""


class Source(Struct, frozen=True):
    """Edits of the same facets, of one wiki or (EVERY_WIKI) of all.

    `newest` is the time of the newest one that a page may have, `is_sure` says that it has it and
    that all of them match. Their ranks are their times, `moved` by so many seconds.
    """

    wiki_id: str
    facets: int
    is_sure: bool
    newest: int
    moved: int

    @property
    def rank(self) -> int:
        """The greatest rank that the page may have of it."""
        return self.newest + self.moved


def sources_of(
    connection: Connection, asked: Asked, *, grades: Sequence[int] = GRADES, least: int = 0
) -> list[Source]:
    """Return the sources that have a row in the time asked for and may have one that matches.

    Those of some grades of the score with a rank of at least `least`.
    """
    grades = [grade for grade in grades if _reaches(asked, grade)]
    if not grades:
        return []
    since = max(asked.earliest, least - max(map(asked.shift, grades)))
    found = []
    for edit in newest_edits(connection, asked, _numbers(asked, grades), since):
        moved = asked.shift(grade_of_number(edit.facets))
        if edit.time + moved >= least:
            until = asked.latest(moved)
            # Of the cursor's own second, the newest may be on the page before.
            is_sure = edit.is_sure and (until is None or edit.time < until)
            found.append(Source(edit.wiki_id, edit.facets, is_sure, edit.time, moved))
    return found


def enough_since(connection: Connection, asked: Asked, sources: Sequence[Source]) -> Iterator[int]:
    """Yield ranks since which to look for a page: one that likely is enough, one that surely is.

    The first is left out where all edits match. The last is 0 if there are too few.
    """
    if not all(source.is_sure for source in sources):
        yield rank_of(connection, asked, sources, asked.limit)
    sure = [source for source in sources if source.is_sure]
    yield rank_of(connection, asked, sure, asked.limit)


def rank_of(connection: Connection, asked: Asked, sources: Sequence[Source], number: int) -> int:
    """Return a rank since which sources likely have so many edits that match, a page at least.

    Or somewhat fewer, as only the edits of a few sources are looked at; 0 if they have less than
    a page. Surely, where the sources are sure.
    """
    first = sorted(sources, key=lambda source: source.rank, reverse=True)
    first = first[: _OF_UNSURE * number]
    known: list[tuple[int, bool]] = []
    for some, others in ((first[:_FEW], first[_FEW:]), (first[_FEW:], [])):
        places = [
            Place(s.wiki_id, s.facets, asked.earliest, asked.latest(s.moved), s.moved) for s in some
        ]
        newest = newest_times(connection, places, asked.limit)
        known += [(rank, some[index].is_sure) for index, rank in newest]
        ranks = sorted([*known, *((s.rank, s.is_sure) for s in others)], reverse=True)
        if len(ranks) >= asked.limit:
            return _since(ranks, number)
    return 0


def _since(ranks: Sequence[tuple[int, bool]], number: int) -> int:
    """Return the rank with which there likely are so many that match, or else the last."""
    matching = 0.0
    for rank, is_sure in ranks:
        matching += 1 if is_sure else 1 / _OF_UNSURE
        if matching >= number:
            return rank
    return ranks[-1][0]


def _numbers(asked: Asked, grades: Sequence[int]) -> Numbers:
    filters, levels = asked.filters, asked.levels
    possible = [to_facets(possible_in(filters, levels), surely=False), is_of_grades(grades)]
    if not filters.wikis:
        possible.append(one_of("wiki_id", [EVERY_WIKI]))
    sure = FALSE if filters.tags else to_facets(sure_in(filters, levels), surely=True)
    return Numbers(every(possible), sure, grades)


def _reaches(asked: Asked, grade: int) -> bool:
    latest = asked.latest(asked.shift(grade))
    return latest is None or latest >= asked.earliest
