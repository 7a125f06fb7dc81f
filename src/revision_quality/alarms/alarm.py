"""What an alarm is, and which there are now."""

from collections.abc import Iterable, Sequence
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace


class Kind(StrEnum):
    """What an alarm is about."""

    FLAG_RATE = "flag_rate"
    SCORE_SHIFT = "score_shift"
    NO_SCORES = "no_scores"
    COVERAGE = "coverage"
    PRECISION = "precision"


class Subject(Struct, frozen=True, order=True, kw_only=True):
    """What an alarm is about, of which wiki ("" for all together) and model version ("" for any).

    `level` is set where it is about one level.
    """

    kind: Kind
    wiki_id: str = ""
    model_name: str = ""
    model_version: str = ""
    level: str = ""


class Finding(Struct, frozen=True, kw_only=True):
    """What a look at a subject has found.

    `is_bad` raises the alarm, `is_good` ends it; neither leaves it as it is (hysteresis). `message`
    is one sentence.
    """

    subject: Subject
    is_bad: bool
    is_good: bool
    message: str


class Alarm(Struct, frozen=True, kw_only=True):
    """An alarm: `since` and `ended` are Unix milliseconds, `ended` 0 while it is on."""

    subject: Subject
    since: int
    message: str
    ended: int = 0


class Board:
    """The alarms that are on."""

    def __init__(self, alarms: Iterable[Alarm] = ()) -> None:
        self._active = {alarm.subject: alarm for alarm in alarms}

    @property
    def active(self) -> tuple[Alarm, ...]:
        """The alarms that are on, the oldest first."""
        return tuple(sorted(self._active.values(), key=lambda one: (one.since, one.subject)))

    def is_on(self, subject: Subject) -> bool:
        """Tell whether there is an alarm about a subject."""
        return subject in self._active

    def look(self, findings: Iterable[Finding], now: int) -> Sequence[Alarm]:
        """Take findings; return the alarms that were raised or ended by them. `now` in ms."""
        moved = []
        for found in findings:
            known = self._active.get(found.subject)
            if known is None and found.is_bad:
                raised = Alarm(subject=found.subject, since=now, message=found.message)
                self._active[found.subject] = raised
                moved.append(raised)
            elif known is not None and found.is_good:
                del self._active[found.subject]
                moved.append(replace(known, ended=now))
        return moved
