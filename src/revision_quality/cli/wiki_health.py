"""Whether each wiki is well, and since when."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from msgspec import Struct

from revision_quality.clock import Clock, system_clock
from revision_quality.web.health import WikiLag

HEALTHY, BEHIND, FAILING, PAUSED = STATES = ("healthy", "behind", "failing", "paused")

LATE_SECONDS = 120.0
"""A wiki is behind where its edits are older than this before they are collected or scored."""


class WikiHealth(Struct, frozen=True):
    """The state of a wiki since a moment, and how far this process is behind it."""

    state: str
    since: datetime
    lag: WikiLag


class WikiBook:
    """Remembers since when each wiki is as it is; `look` must be called now and then."""

    def __init__(
        self,
        lags: Callable[[], Mapping[str, WikiLag]],
        paused: Callable[[], Collection[str]],
        clock: Clock = system_clock,
    ) -> None:
        self._lags = lags
        self._paused = paused
        self._clock = clock
        self._known: dict[str, WikiHealth] = {}

    def look(self) -> Mapping[str, WikiHealth]:
        """Return how each wiki is now."""
        now, paused, lags = self._clock.now(), self._paused(), self._lags()
        found: dict[str, WikiHealth] = {}
        for wiki_id in sorted(lags.keys() | set(paused)):
            lag = lags.get(wiki_id, WikiLag())
            state = PAUSED if wiki_id in paused else state_of(lag)
            before = self._known.get(wiki_id)
            since = before.since if before and before.state == state else now
            found[wiki_id] = WikiHealth(state, since, lag)
        self._known = found
        return found


def state_of(lag: WikiLag) -> str:
    """Tell how a wiki is that is not paused."""
    if lag.problem:
        return FAILING
    late = max(lag.collecting_seconds or 0.0, lag.scoring_seconds or 0.0)
    return BEHIND if late > LATE_SECONDS else HEALTHY
