"""The counts as the labels view keeps them, read for the choice of levels."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from sqlalchemy import Connection, case, func, select

from revision_quality.levels.choosing import LEAST_REVERTED, PERIODS
from revision_quality.levels.counts import BINS, KINDS, Counts, Label, no_edits
from revision_quality.levels.edit import day_of
from revision_quality.levels.pooling import Profile, profile_of
from revision_quality.views.tables import level_counts

WINDOW_DAYS = 56
LONGEST_DAYS = 365
"""Days that a wiki's window grows to, where fewer have not enough reverted edits."""

_CELLS_OF_KIND = BINS * len(Label)


class Day(Struct, frozen=True):
    """The counted edits of one day, from 1970-01-01."""

    day: int
    edits: int
    reverted: int


class Window(Struct, frozen=True):
    """The days of a wiki that are counted, both included."""

    first: int
    last: int

    @property
    def days(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


def settled_day(now: datetime, wait: int) -> int:
    """Return the last day of which every label is settled; `wait` is in seconds."""
    return day_of(int(now.timestamp()) - wait) - 1


def read_days(
    connection: Connection, model: int, last: int, wiki_id: str | None = None
) -> dict[str, list[Day]]:
    """Read how many edits a wiki, or each, had on each day up to `last`, the oldest first."""
    columns = level_counts.c
    # Not the division, of which every server has another notion.
    in_kind = columns.cell % _CELLS_OF_KIND
    is_reverted = in_kind.between(BINS * Label.REVERTED, BINS * (Label.REVERTED + 1) - 1)
    reverted = func.sum(case((is_reverted, columns.number), else_=0))
    statement = (
        select(columns.wiki_id, columns.day, func.sum(columns.number), reverted)
        .where(columns.model == model, columns.day <= last, columns.day > last - LONGEST_DAYS)
        .group_by(columns.wiki_id, columns.day)
        .order_by(columns.wiki_id, columns.day)
    )
    if wiki_id is not None:
        statement = statement.where(columns.wiki_id == wiki_id)
    wikis: dict[str, list[Day]] = {}
    for name, day, edits, of_them in connection.execute(statement):
        wikis.setdefault(name, []).append(Day(day, int(edits), int(of_them)))
    return wikis


def window_of(days: Sequence[Day], window_days: int = WINDOW_DAYS) -> Window:
    """Return the newest days of a wiki: `window_days`, and more until enough were reverted."""
    last, reverted = days[-1].day, 0
    first = last
    for day in reversed(days):
        if day.day <= last - window_days and reverted >= LEAST_REVERTED:
            break
        first, reverted = day.day, reverted + day.reverted
    return Window(first, last)


def read_periods(
    connection: Connection, wiki_id: str, model: int, window: Window, days: Sequence[Day]
) -> list[Counts]:
    """Read a wiki's counts of a window by periods with as many edits each, the oldest first."""
    columns = level_counts.c
    statement = select(columns.day, columns.cell, columns.number).where(
        columns.wiki_id == wiki_id,
        columns.model == model,
        columns.day.between(window.first, window.last),
        columns.number > 0,
    )
    rows = np.array(connection.execute(statement).all(), np.int64).reshape(-1, 3)
    inside = [day for day in days if window.first <= day.day <= window.last and day.edits]
    if not len(rows) or not inside:
        return []
    places = _places(inside)
    period_of = np.full(window.days, -1)
    period_of[[day.day - window.first for day in inside]] = places
    mass = np.zeros((PERIODS, len(KINDS), len(Label), BINS))
    flat = mass.reshape(PERIODS, -1)
    np.add.at(flat, (period_of[rows[:, 0] - window.first], rows[:, 1]), rows[:, 2])
    used = np.unique(places)
    return [Counts(mass[at], mass[at].copy(), window.days / len(used)) for at in used]


def _places(days: Sequence[Day]) -> npt.NDArray[np.intp]:
    edits = np.array([day.edits for day in days], float)
    middles = np.cumsum(edits) - edits / 2
    places: npt.NDArray[np.intp] = np.minimum(
        (middles / edits.sum() * PERIODS).astype(np.intp), PERIODS - 1
    )
    return places


def read_profiles(
    connection: Connection, model: int, days: Mapping[str, Sequence[Day]]
) -> dict[str, Profile]:
    """Read how the scores of each wiki are spread, over all days of `days`."""
    columns = level_counts.c
    of_bin = columns.cell % BINS
    first = min((each[0].day for each in days.values() if each), default=0)
    statement = (
        select(columns.wiki_id, of_bin, func.sum(columns.number))
        .where(columns.model == model, columns.day >= first)
        .group_by(columns.wiki_id, of_bin)
    )
    bins = {wiki_id: np.zeros(BINS) for wiki_id in days}
    for wiki_id, place, number in connection.execute(statement):
        if wiki_id in bins:
            bins[wiki_id][place] = float(number)
    return {
        wiki_id: profile_of(by_bin, sum(day.reverted for day in days[wiki_id]))
        for wiki_id, by_bin in bins.items()
    }


def all_of(periods: Sequence[Counts]) -> Counts:
    """Return the counts of periods together."""
    mass = sum((period.mass for period in periods), no_edits().mass)
    return Counts(mass, mass.copy(), sum(period.days for period in periods))
