"""Puts together the status of a process."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TypeVar

from revision_quality import __version__
from revision_quality.alarms.alarm import Alarm
from revision_quality.cli.metrics import coverage, unread
from revision_quality.cli.readiness import Watcher
from revision_quality.cli.running import Running
from revision_quality.cli.wiki_health import WikiBook, WikiHealth
from revision_quality.errors import StoreError
from revision_quality.redaction import redacted
from revision_quality.scoring.group import ScoringGroup
from revision_quality.sites import Site
from revision_quality.views.materialiser import Materialiser
from revision_quality.web.status import (
    AlarmStatus,
    LevelStatus,
    ModelStatus,
    Status,
    ViewStatus,
    WikiStatus,
)

T = TypeVar("T")
Counts = Mapping[tuple[str, str], int]


class Overview:
    """Answers how a process is; `site_of` knows the wikis' names."""

    def __init__(
        self,
        running: Running,
        watcher: Watcher,
        wikis: WikiBook,
        site_of: Callable[[str], Site | None],
    ) -> None:
        self._running = running
        self._watcher = watcher
        self._wikis = wikis
        self._site_of = site_of

    async def status(self) -> Status:
        """Return what is known now; secrets of addresses are left out."""
        running, readiness = self._running, await self._watcher.readiness()
        view = running.view
        unpurged = running.unpurged()
        counts: Counts | None = await _if_known(view.counts) if view else None
        return Status(
            version=__version__,
            begun=running.begun,
            now=running.clock.now(),
            ready=readiness.ready,
            roles=readiness.roles,
            problems=(*map(redacted, readiness.problems), *([unpurged] if unpurged else [])),
            wikis={
                wiki_id: self._wiki(wiki_id, health, counts)
                for wiki_id, health in self._wikis.look().items()
            },
            unreachable={
                redacted(api): redacted(problem) for api, problem in readiness.unreachable.items()
            },
            models=[await self._model(group) for group in running.groups],
            alarms=[_alarm(one) for one in await _if_known(running.alarms) or ()],
            views=[await _view(one) for one in running.materialisers],
        )

    def _wiki(self, wiki_id: str, health: WikiHealth, counts: Counts | None) -> WikiStatus:
        site, lag = self._site_of(wiki_id), health.lag
        of_wiki = {key: number for key, number in (counts or {}).items() if key[0] == wiki_id}
        return WikiStatus(
            name=site.name if site else wiki_id,
            state=health.state,
            since=health.since,
            collecting_seconds=lag.collecting_seconds,
            waiting=lag.waiting,
            scoring_seconds=lag.scoring_seconds,
            problem=lag.problem and redacted(lag.problem),
            changes=None if counts is None else {key[1]: n for key, n in of_wiki.items()},
            coverage=coverage(of_wiki).get(wiki_id),
        )

    async def _model(self, group: ScoringGroup) -> ModelStatus:
        rule, outcomes = group.rule, dict[str, int]()
        for (_, state, _), number in group.tally.outcomes.items():
            outcomes[state] = outcomes.get(state, 0) + number
        behind = await _if_known(lambda: unread(self._running, group))
        return ModelStatus(
            name=rule.model.name,
            version=rule.model.version,
            stream=rule.stream,
            group=rule.group,
            is_paused=rule.model.name in self._running.gate.models,
            waiting=sum(waiting.number for waiting in group.waiting.values()),
            unread=None if behind is None else sum(behind.values()),
            outcomes=outcomes,
            levels=[
                LevelStatus(name=level.name, threshold=level.threshold, flag_rate=level.flag_rate)
                for level in rule.levels
            ],
        )


def _alarm(alarm: Alarm) -> AlarmStatus:
    return AlarmStatus(
        kind=alarm.subject.kind,
        wiki_id=alarm.subject.wiki_id,
        message=alarm.message,
        since=datetime.fromtimestamp(alarm.since / 1000, UTC),
    )


async def _view(materialiser: Materialiser) -> ViewStatus:
    behind = await _if_known(materialiser.behind)
    return ViewStatus(
        name=materialiser.name,
        has_caught_up=materialiser.has_caught_up,
        behind=None if behind is None else sum(behind.values()),
    )


async def _if_known(ask: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await ask()
    except StoreError:
        return None
