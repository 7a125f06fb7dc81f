"""Tells one address of every alarm that is raised or ends."""

import asyncio

import httpx
import msgspec
import structlog
from msgspec.structs import asdict

from revision_quality.alarms import stored as table
from revision_quality.alarms.alarm_json import AlarmJson, alarm_json
from revision_quality.alarms.stored import ENDED, RAISED, Stored
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.views.database import Database

_LOOK_SECONDS = 5.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 600.0
_ANSWER_SECONDS = 20.0

_log = structlog.get_logger()


class Told(AlarmJson, frozen=True, kw_only=True):
    """What is posted, as JSON. `id` is the alarm's: whoever gets it twice can tell.

    `state` is raised or ended.
    """

    id: str
    state: str


class Webhook:
    """Posts alarms to `url`, in order, each until it is taken (any answer of 2xx).

    What is not posted waits in the table `alarms`. Redirects are not followed: the address is the
    one that the settings name, and no other.
    """

    def __init__(
        self,
        database: Database,
        client: httpx.AsyncClient,
        url: str,
        clock: Clock = system_clock,
    ) -> None:
        self._database = database
        self._client = client
        self._url = url
        self._clock = clock

    async def run(self) -> None:
        """Post until cancelled; goes on trying, ever more slowly, while nobody takes it."""
        pause = _FIRST_PAUSE
        while True:
            try:
                await self.step()
            except (StoreError, httpx.HTTPError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
                _log.error("the webhook cannot be told of an alarm, trying again", error=reason)
                await self._clock.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                pause = _FIRST_PAUSE
                await self._clock.sleep(_LOOK_SECONDS)

    async def step(self) -> int:
        """Post what is not posted yet; return how many. Raises httpx.HTTPError, StoreError."""
        waiting = await self._database.read(table.untold)
        for each in waiting:
            await self._post(each)
        return len(waiting)

    async def _post(self, stored: Stored) -> None:
        state = ENDED if stored.alarm.ended else RAISED
        told = Told(id=stored.id, state=state, **asdict(alarm_json(stored.alarm)))
        body = msgspec.json.encode(told)
        headers = {"Content-Type": "application/json"}
        async with asyncio.timeout(_ANSWER_SECONDS):
            answer = await self._client.post(
                self._url, content=body, headers=headers, follow_redirects=False
            )
        if not answer.is_success:
            raise httpx.HTTPStatusError(
                f"{self._url} answers {answer.status_code}", request=answer.request, response=answer
            )
        await self._database.write(lambda connection: table.told(connection, stored.id, state))
