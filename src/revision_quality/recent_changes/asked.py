"""A page that is asked for, and the conditions on its rows."""

from collections.abc import Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.facet_predicate import to_facets
from revision_quality.recent_changes.filters import Filters
from revision_quality.recent_changes.predicate import to_sql
from revision_quality.recent_changes.query import (
    earliest_of,
    grades_in,
    possible_of,
    sure_of,
    visible,
    within,
)
from revision_quality.recent_changes.ranking import rank, shift
from revision_quality.recent_changes.sql import Sql, every, one_of
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.views.change import Change
from revision_quality.views.facets import NO_GRADE

MAX_WIKIS_APART = 20
"""So many wikis are read each by its own index; of more, the walk through the edits of all wikis
finds enough soon."""

_MUCH = 1 / 50
"""Of all edits: the wikis that have so many are found in the walk through those of all wikis."""


class Asked(Struct, frozen=True):
    """The filters of a page, the levels that they name, and the time from which days count.

    `now` is in Unix seconds. `share` says which part of all edits those of the wikis are. Ranks are
    the times of edits, `moved` by so many seconds.
    """

    filters: Filters
    levels: WikiLevels
    now: float
    share: float = 1

    @property
    def limit(self) -> int:
        """The greatest number of rows."""
        return self.filters.limit

    @property
    def are_wikis_apart(self) -> bool:
        """Whether wikis are asked for, each to be read by its own index."""
        number = len(self.filters.wikis)
        return number == 1 or (0 < number <= MAX_WIKIS_APART and self.share < _MUCH)

    @property
    def earliest(self) -> int:
        """The time of the oldest edit asked for, 0 where all are."""
        return earliest_of(self.filters, self.now)

    def latest(self, moved: int = 0) -> int | None:
        """Return the time of the cursor, None without one.

        Of the edits of this very second some are not on the page.
        """
        return self.filters.before.timestamp - moved if self.filters.before else None

    def shift(self, grade: int) -> int:
        """Return by how many seconds the edits of a grade are moved."""
        return shift(self.filters.order, grade)

    def rank(self, change: Change) -> Cursor:
        """Return the place of a change; the greatest comes first."""
        return rank(self.filters.order, change)

    def matching(self, *, least: int = 0, moved: int = 0) -> Sql:
        """Return the condition on edits, but for the wiki, of a rank of at least `least`."""
        return every((to_sql(visible(self.filters, self.levels)), self.in_time(least, moved)))

    def possible(self) -> Sql:
        """Return the condition on the facets without which no edit matches, but for the wiki."""
        possible = to_facets(possible_of(self.filters, self.levels), surely=False)
        return every((Sql("facets IS NOT NULL"), possible))

    @property
    def is_told_by_facets(self) -> bool:
        """Whether all edits of the wikis and the time with such facets match."""
        return self.is_told_but_for_tags and not self.filters.tags

    @property
    def is_told_but_for_tags(self) -> bool:
        """Whether all with such facets, and tags, match."""
        possible, sure = possible_of(self.filters, self.levels), sure_of(self.filters, self.levels)
        return to_facets(possible, surely=False) == to_facets(sure, surely=True)

    @property
    def grades(self) -> Sequence[int]:
        """The grades of the score in which an edit may match."""
        return grades_in(self.filters, self.levels)

    @property
    def is_risky(self) -> bool:
        """Whether edits of some risk alone are asked for: they are few."""
        return all(grade > NO_GRADE + 1 for grade in self.grades)

    def in_time(self, least: int = 0, moved: int = 0) -> Sql:
        """Return the condition on the time alone, and on the place behind the cursor."""
        before = self.filters.before
        since = least - moved if least else 0
        return to_sql(within(max(self.earliest, since), before and before.earlier(moved)))

    def in_wikis(self) -> Iterator[Sql]:
        """Yield the condition on the wiki of edits, none where all are asked for.

        Of many it is one that no index serves, so that the time's is used.
        """
        wikis = tuple(sorted(self.filters.wikis))
        if wikis:
            yield one_of("wiki_id" if self.are_wikis_apart else "coalesce(wiki_id, '')", wikis)

    def of_any_time(self) -> "Asked":
        """Return the same without the conditions on the time."""
        return replace(self, filters=replace(self.filters, before=None, days=None, since=None))
