"""The alarms that are on: `/v1/alarms`."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from revision_quality.alarms.alarm import Alarm
from revision_quality.alarms.alarm_json import AlarmJson, alarm_json
from revision_quality.clock import Clock, system_clock
from revision_quality.web.json_answers import Problem, json_answer
from revision_quality.web.operation import Content, Operation, Reply, routes

_TOLD_FOR = timedelta(days=7)


class AlarmsJson(Struct, frozen=True):
    """Alarms that are on, the oldest first; those that ended within a week, the latest first."""

    active: list[AlarmJson]
    ended: list[AlarmJson]


class _Alarms(Protocol):
    async def active(self) -> Sequence[Alarm]: ...
    async def ended_since(self, moment: int) -> Sequence[Alarm]: ...


class AlarmsApi:
    """The handler."""

    def __init__(self, alarms: _Alarms, clock: Clock = system_clock) -> None:
        self._alarms = alarms
        self._clock = clock

    @property
    def routes(self) -> list[Route]:
        """The routes of OPERATIONS."""
        return routes(ALARMS, self.list)

    async def list(self, request: Request) -> Response:
        """Answer with the alarms."""
        since = int((self._clock.now() - _TOLD_FOR).timestamp() * 1000)
        active = await self._alarms.active()
        ended = await self._alarms.ended_since(since)
        return json_answer(AlarmsJson(list(map(alarm_json, active)), list(map(alarm_json, ended))))


ALARMS = Operation(
    id="alarms",
    method="GET",
    path="/v1/alarms",
    tag="Operation",
    summary="List the alarms",
    replies={
        200: Reply("The alarms.", Content(kinds=(AlarmsJson,))),
        503: Reply(
            "The view cannot be read.",
            Content(kinds=(Problem,), media_type="application/problem+json"),
        ),
    },
)
OPERATIONS = (ALARMS,)
