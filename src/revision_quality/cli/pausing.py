"""What is paused, kept in the log: every process that reads it does the same."""

from collections.abc import Callable
from uuid import uuid4

import msgspec
import structlog

from revision_quality.clock import Clock, system_clock
from revision_quality.errors import InvalidEventError, StoreError
from revision_quality.events import streams as names
from revision_quality.events.pause import Pause, What, build_pause, decode_pause
from revision_quality.pauses import Gate
from revision_quality.streams.base import START, Outgoing, Streams

_READ = 500
_LOOK_SECONDS, _PAUSE_SECONDS = 1.0, 3.0

_log = structlog.get_logger()


class PauseFollower:
    """Reads the log's pauses from its beginning, and tells the gate what holds.

    What changes is logged, unless it `is_silent`.
    """

    def __init__(
        self,
        streams: Streams,
        gate: Gate,
        clock: Clock = system_clock,
        *,
        is_silent: bool = False,
    ) -> None:
        self._streams = streams
        self._gate = gate
        self._clock = clock
        self._is_silent = is_silent
        self._positions: dict[int, int] = {}
        self._known: dict[tuple[What, str], Pause] = {}

    async def run(self) -> None:
        """Follow until cancelled; goes on while the log cannot be read."""
        while True:
            appended = self._streams.appended()
            try:
                await self.read()
            except StoreError as error:
                _log.error("what is paused cannot be read, trying again", error=str(error))
                await self._clock.sleep(_PAUSE_SECONDS)
                continue
            await self._streams.wait(appended, _LOOK_SECONDS)

    async def read(self) -> None:
        """Read what is new, to the end; log what it comes to. Raises StoreError."""
        before = self._paused
        for number in range(await self._streams.partitions(names.PAUSE)):
            while records := await self._streams.read(
                names.PAUSE, self._positions.get(number, START), _READ, number
            ):
                for record in records:
                    self._take(record.value)
                self._positions[number] = records[-1].offset
        self._gate.set(self.paused("wiki"), self.paused("model"))
        for key in sorted(before ^ self._paused):
            self._tell(self._known[key])

    @property
    def _paused(self) -> set[tuple[What, str]]:
        return {key for key, event in self._known.items() if event.is_paused}

    def paused(self, what: What) -> frozenset[str]:
        """Return the names of what is paused."""
        return frozenset(name for kind, name in self._paused if kind == what)

    def _take(self, value: bytes) -> None:
        try:
            event = decode_pause(value)
        except InvalidEventError as error:
            _log.warning("an event of a pause is passed over", error=str(error))
            return
        self._known[event.what, event.name] = event

    def _tell(self, event: Pause) -> None:
        if not self._is_silent:
            told = "paused" if event.is_paused else "resumed"
            _log.info(told, what=event.what, name=event.name, event_id=event.meta.id)


async def say(
    open_log: Callable[[], Streams],
    wishes: list[tuple[What, str]],
    *,
    is_paused: bool,
    clock: Clock = system_clock,
) -> Gate:
    """Write pauses, or their ends, into the log; return what is paused then. Raises StoreError."""
    streams, gate = open_log(), Gate()
    try:
        events = [
            build_pause(
                what, name, is_paused=is_paused, identifier=str(uuid4()), moment=clock.now()
            )
            for what, name in wishes
        ]
        await streams.append([_outgoing(event) for event in events])
        await PauseFollower(streams, gate, clock, is_silent=True).read()
    finally:
        await streams.close()
    return gate


def _outgoing(event: Pause) -> Outgoing:
    return Outgoing(names.PAUSE, str(event.meta.id), event.key, msgspec.json.encode(event))
