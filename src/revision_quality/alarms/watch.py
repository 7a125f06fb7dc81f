"""Watches the streams and the changes view for what is not as usual."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec
import structlog
from msgspec import Struct
from sqlalchemy import Connection, func, select

from revision_quality.alarms import stored as table
from revision_quality.alarms.alarm import Alarm, Board, Finding, Kind, Subject
from revision_quality.alarms.coverage import Silence, coverage, silence
from revision_quality.alarms.drift import RATE_FLOOR, SHIFT_FLOOR, Series, SeriesState
from revision_quality.alarms.level_watch import LevelWatch
from revision_quality.alarms.stored import SeriesKey
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.events.meta import Timestamp
from revision_quality.events.page_change import UserEntity
from revision_quality.levels.scores import NamedModel
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.streams.base import Record
from revision_quality.views.change import State
from revision_quality.views.database import Database
from revision_quality.views.positions import Positions
from revision_quality.views.tables import changes
from revision_quality.views.user_level import user_level

EVERY_WIKI = ""
LOOK_SECONDS = 60.0

LEVELS_SECONDS = 3600
"""How often levels are looked at: a day's labels settle once a day."""

_FRESH = timedelta(hours=1)
"""Edits made longer ago are learnt from, but raise no alarm: what is over is over, and what is read
again or brought later does not come as it was made."""

_HOUR, _DAY = 3600, 86_400
_KEPT_DAYS = 90
_HALF = 0.5
_BOT = "bot"
_SLICE = 50

_log = structlog.get_logger()


class AlarmLimits(Struct, frozen=True, kw_only=True):
    """When to raise an alarm; see `settings.Alarms`."""

    score_shift: float = SHIFT_FLOOR
    flag_rate: float = RATE_FLOOR
    no_score_minutes: float = 10.0
    coverage: float = 0.99
    accepted_after_days: float = 7.0


class _Classification(Struct, frozen=True):
    model_name: str
    model_version: str
    probabilities: dict[str, float]


class _Score(Struct, frozen=True):
    wiki_id: str
    dt: Timestamp
    predicted_classification: _Classification
    performer: UserEntity | None = None


_decoder = msgspec.json.Decoder(_Score)


def _kind_of(user: UserEntity | None, at: datetime) -> str:
    """Return which kind of editor made an edit: a bot, or the level of a person."""
    return _BOT if user is not None and user.is_bot else user_level(user, at)


def _read(raw: bytes) -> _Score | None:
    """Read an event, None where it is none of a score."""
    try:
        event = _decoder.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if "true" in event.predicted_classification.probabilities else None


class AlarmWatch:
    """A view of the streams of scores: of each wiki and model what is usual, and what is not.

    `threshold_of(model, wiki_id)` is the score from which an edit is flagged now; `levels` looks
    whether levels keep what they promise. Its tables are those that a ChangesView has made. What
    was learnt is kept once a minute, where something was: after a crash the edits since then are
    learnt from again.
    """

    def __init__(
        self,
        database: Database,
        positions: Positions,
        threshold_of: Callable[[NamedModel, str], float],
        limits: AlarmLimits = AlarmLimits(),  # noqa: B008 (it is frozen)
        clock: Clock = system_clock,
        *,
        levels: LevelWatch | None = None,
    ) -> None:
        self._database = database
        self._positions = positions
        self._threshold_of = threshold_of
        self._limits = limits
        self._clock = clock
        self._levels = levels
        self._levels_next = 0
        self._board = Board()
        self._untold: list[Alarm] = []
        self._telling = asyncio.Lock()
        self._is_loaded = False
        self._series: dict[SeriesKey, Series] = {}
        self._stored: dict[SeriesKey, SeriesState] = {}
        self._kept: dict[SeriesKey, int] = {}
        self._ahead: dict[tuple[str, int], Record] = {}

    async def position(self, stream: str, partition: int = 0) -> int:
        """Return the offset up to which a partition of `stream` has been looked at."""
        return await self._positions.get(stream, partition)

    async def apply(self, records: Sequence[Record]) -> int:
        """Look at scores. Returns how many alarms were raised or ended. Raises StoreError.

        An alarm that cannot be stored is told by the next `look`: scores are learnt from once.
        """
        await self._load()
        fresh_from = self._clock.now() - _FRESH
        moved: list[Alarm] = []
        for number, record in enumerate(records, start=1):
            if number % _SLICE == 0:
                await asyncio.sleep(0)
            event = _read(record.value)
            if event is not None:
                findings = self._add(event)
                moved += self._look(findings) if event.dt >= fresh_from else ()
            self._ahead[record.stream, record.partition] = record
        self._untold += moved
        try:
            await self._tell()
        except StoreError as error:
            _log.error("an alarm cannot be stored, trying again", error=str(error))
        return len(moved)

    async def run(self) -> None:
        """Look at the changes view every minute until cancelled; goes on while a store fails."""
        while True:
            try:
                await self.look()
            except StoreError as error:
                _log.error("alarms cannot be looked after, trying again", error=str(error))
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Look at what became of the edits of the last day, and keep what was learnt."""
        await self._load()
        now = int(self._clock.now().timestamp())
        late = now - int(self._limits.no_score_minutes * 60)
        hour = await self._states(late - _HOUR, late)
        day = await self._states(now - _DAY, late)
        findings = [_silence(wiki_id, found, self._limits) for wiki_id, found in hour.items()]
        covered = (coverage(wiki, found, self._limits.coverage) for wiki, found in day.items())
        findings += [found for found in covered if found is not None]
        findings += self._of_few_edits({each.subject for each in findings}, day)
        findings += await self._of_levels(now)
        self._untold += [*self._look(findings), *self._accept()]
        await self._tell()
        await self._keep()

    def _of_few_edits(
        self, seen: Collection[Subject], day: Mapping[str, Mapping[str, int]]
    ) -> Sequence[Finding]:
        """End alarms about edits of wikis of which there is nothing to tell, once none waits."""
        return [
            Finding(
                subject=about,
                is_bad=False,
                is_good=not day.get(about.wiki_id, {}).get(State.PENDING),
                message="",
            )
            for about in (alarm.subject for alarm in self._board.active)
            if about.kind in (Kind.NO_SCORES, Kind.COVERAGE) and about not in seen
        ]

    async def _of_levels(self, now: int) -> Sequence[Finding]:
        """Look at the levels once an hour; alarms about those that are not in force end."""
        if self._levels is None or now < self._levels_next:
            return ()
        found = await self._levels.look()
        if found is None:
            return ()
        self._levels_next = now + LEVELS_SECONDS
        known = {each.subject for each in found}
        gone = [
            Finding(subject=alarm.subject, is_bad=False, is_good=True, message="")
            for alarm in self._board.active
            if alarm.subject.kind is Kind.PRECISION and alarm.subject not in known
        ]
        return [*found, *gone]

    def _add(self, event: _Score) -> Sequence[Finding]:
        model = event.predicted_classification
        score = model.probabilities["true"]
        editor = (event.performer.user_text if event.performer else None) or ""
        threshold = self._threshold_of(
            NamedModel(model.model_name, model.model_version), event.wiki_id
        )
        of_wiki, of_all = (
            (wiki_id, model.model_name, model.model_version)
            for wiki_id in (event.wiki_id, EVERY_WIKI)
        )
        distance, findings = self._series_of(of_wiki).add(
            score, editor, _kind_of(event.performer, event.dt), threshold
        )
        return [*findings, *self._series_of(of_all).take(distance)]

    def _series_of(self, key: SeriesKey) -> Series:
        if key not in self._series:
            self._series[key] = Series(
                key,
                self._stored.pop(key, None),
                shift_floor=self._limits.score_shift,
                rate_floor=self._limits.flag_rate,
            )
        return self._series[key]

    def _look(self, findings: Sequence[Finding]) -> list[Alarm]:
        return list(self._board.look(findings, self._now()))

    def _accept(self) -> list[Alarm]:
        """Take as usual what has been unusual for long: habits change, and models."""
        before = self._now() - int(self._limits.accepted_after_days * _DAY * 1000)
        ended: list[Alarm] = []
        for alarm in self._board.active:
            about = alarm.subject
            if alarm.since < before and about.kind in (Kind.SCORE_SHIFT, Kind.FLAG_RATE):
                key = (about.wiki_id, about.model_name, about.model_version)
                self._series_of(key).forget()
                over = Finding(subject=about, is_bad=False, is_good=True, message="")
                ended += self._look([over])
        return ended

    async def _tell(self) -> None:
        """Store what was raised or ended, and log it."""
        async with self._telling:
            moved = tuple(self._untold)
            if moved:
                await self._database.write(lambda connection: table.save(connection, moved))
            del self._untold[: len(moved)]
        for alarm in moved:
            tell = _log.info if alarm.ended else _log.warning
            what = "an alarm has ended" if alarm.ended else "an alarm"
            tell(what, kind=alarm.subject.kind.value, message=alarm.message)

    async def _load(self) -> None:
        if self._is_loaded:
            return
        found, states = await self._database.read(
            lambda connection: (table.active(connection), table.series(connection))
        )
        self._stored = states
        self._board, self._is_loaded = Board(found), True

    async def _keep(self) -> None:
        """Store what was learnt, then the positions behind it; nothing where nothing was."""
        now = {key: series.changes for key, series in self._series.items()}
        states = {
            key: self._series[key].state
            for key, changes in now.items()
            if changes > self._kept.get(key, 0)
        }
        ahead = dict(self._ahead)
        before = self._now() - _KEPT_DAYS * _DAY * 1000

        def write(connection: Connection) -> None:
            table.save_series(connection, states)
            table.purge(connection, before)

        if states:
            await self._database.write(write)
        self._kept = now
        await self._positions.put(list(ahead.values()))
        for place, record in ahead.items():
            if self._ahead[place] is record:
                del self._ahead[place]

    async def _states(self, start: int, end: int) -> dict[str, dict[str, int]]:
        """Count the edits made from `start` on and before `end` by wiki and state."""
        columns = changes.c
        statement = (
            select(columns.wiki_id, columns.state, func.count())
            .where(columns.timestamp >= start, columns.timestamp < end, columns.deleted.is_(False))
            .group_by(columns.wiki_id, columns.state)
        )
        rows = await self._database.read(lambda connection: connection.execute(statement).all())
        found: dict[str, dict[str, int]] = {}
        for wiki_id, state, number in rows:
            found.setdefault(wiki_id, {})[state] = number
        return found

    def _now(self) -> int:
        return int(self._clock.now().timestamp() * 1000)


def flagged_from(
    levels: Mapping[NamedModel, CurrentLevels],
) -> Callable[[NamedModel, str], float]:
    """Return what tells the score from which the levels in force flag an edit of a wiki.

    That of `likelybad`, or the gravest there is; of a model without levels half.
    """

    def tell(model: NamedModel, wiki_id: str) -> float:
        known = levels[model].now.of(wiki_id) if model in levels else ()
        named = {level.name: level.threshold for level in known if level.name != "likelygood"}
        return named.get("likelybad") or max(named.values(), default=_HALF)

    return tell


def _silence(wiki_id: str, states: Mapping[str, int], limits: AlarmLimits) -> Finding:
    edits = sum(states.values())
    return silence(
        wiki_id, Silence(edits, edits - states.get(State.PENDING, 0)), limits.no_score_minutes
    )
