"""What a process knows of its own readiness."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from revision_quality.cli.lease import Holder
from revision_quality.cli.role import Role, in_order
from revision_quality.cli.running import Watched
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import StoreError
from revision_quality.events import streams as names
from revision_quality.scoring.group import ScoringGroup
from revision_quality.streams.base import Streams
from revision_quality.views.changes import ChangesView
from revision_quality.views.materialiser import Materialiser
from revision_quality.web.health import Readiness, WikiLag

PATIENCE_SECONDS = 3.0
"""How long a store may take to answer; who asks waits some 5."""

KEPT_SECONDS = 1.0
"""How long an answer of the stores is told again, so that who asks often asks them seldom."""

_WORKING, _CATCHING_UP, _STANDBY = "working", "catching up", "standby"


class Watcher:
    """Tells whether the roles can work: stores are asked, the rest is known."""

    def __init__(
        self,
        *,
        streams: Streams,
        view: ChangesView | None,
        roles: frozenset[Role],
        holders: Mapping[Role, Holder],
        groups: Sequence[ScoringGroup],
        materialisers: Sequence[Materialiser],
        watched: Watched,
        clock: Clock = system_clock,
    ) -> None:
        self._streams = streams
        self._view = view
        self._roles = roles
        self._holders = holders
        self._groups = groups
        self._materialisers = materialisers
        self._watched = watched
        self._clock = clock
        self._is_ending = False
        self._asking: asyncio.Task[tuple[str, ...]] | None = None
        self._asked = 0.0

    def end(self) -> None:
        """Say that the process is ending: nobody should ask it for more."""
        self._is_ending = True

    async def readiness(self) -> Readiness:
        """Return what is known now."""
        troubles = await self._troubles()
        roles = {str(role): self._state(role) for role in in_order(self._roles)}
        is_behind = _CATCHING_UP in roles.values()
        problems = [
            *(["the process is ending"] if self._is_ending else []),
            *troubles,
            *(["a view is not caught up yet"] if is_behind else []),
        ]
        return Readiness(
            ready=not problems,
            roles=roles,
            problems=tuple(problems),
            wikis=self.lags(),
            unreachable=dict(self._watched.unreachable()),
        )

    def _state(self, role: Role) -> str:
        holder = self._holders.get(role)
        if holder is not None and not holder.is_working:
            return _STANDBY
        awaited = [one for one in self._materialisers if one.is_awaited]
        if role is Role.MATERIALISE and not all(one.has_caught_up for one in awaited):
            return _CATCHING_UP
        return _WORKING

    async def _troubles(self) -> tuple[str, ...]:
        now = asyncio.get_running_loop().time()
        if self._asking is None or (self._asking.done() and now - self._asked > KEPT_SECONDS):
            self._asked = now
            self._asking = asyncio.create_task(self._ask())
        return await asyncio.shield(self._asking)

    async def _ask(self) -> tuple[str, ...]:
        questions = [self._problem("the streams", self._ask_streams)]
        if self._view is not None:
            questions.append(self._problem("the changes view", self._view.last_seq))
        return tuple(told for told in await asyncio.gather(*questions) if told)

    async def _ask_streams(self) -> int:
        return await self._streams.end(names.PAGE_CHANGE)

    async def _problem(self, what: str, question: Callable[[], Awaitable[object]]) -> str | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await question()
        except TimeoutError:
            return f"{what} cannot be reached: no answer within {PATIENCE_SECONDS:.0f} seconds"
        except StoreError as error:
            return f"{what} cannot be reached: {error}"
        return None

    def lags(self) -> dict[str, WikiLag]:
        """Return how far this process is behind each wiki, by wiki_id."""
        found: dict[str, WikiLag] = {}
        if self._holders[Role.COLLECT].is_working:
            for wiki_id, source in self._watched.polling.items():
                found[wiki_id] = WikiLag(
                    collecting_seconds=round(source.lag, 1), problem=source.failure
                )
        for group in self._groups:
            self._add_scoring(found, group)
        return found

    def _add_scoring(self, found: dict[str, WikiLag], group: ScoringGroup) -> None:
        now, failures = self._clock.now().timestamp(), group.failures
        for wiki_id, waiting in group.waiting.items():
            known = found.get(wiki_id, WikiLag())
            age = 0.0 if waiting.oldest is None else max(0.0, now - waiting.oldest)
            found[wiki_id] = WikiLag(
                collecting_seconds=known.collecting_seconds,
                waiting=(known.waiting or 0) + waiting.number,
                scoring_seconds=round(max(known.scoring_seconds or 0.0, age), 1),
                problem=known.problem or failures.get(wiki_id),
            )
