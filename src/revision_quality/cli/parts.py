"""What differs between a demo and a run: who brings edits, who reads them, who scores them."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import httpx
from msgspec import Struct, field

from revision_quality.cli.role import EVERY, Role
from revision_quality.cli.running import Watched
from revision_quality.cli.wiki_tables import NamedWiki
from revision_quality.pauses import Gate
from revision_quality.scoring.model_rule import ModelRule, streams_of
from revision_quality.scoring.on_request import AskedWiki
from revision_quality.sites import Site
from revision_quality.sources.base import Source
from revision_quality.web.consumer import Consumer
from revision_quality.wiki.reader import RevisionReader


async def _no_more() -> AsyncIterator[Any]:
    """Yield nothing."""
    nothing: Sequence[Any] = ()
    for each in nothing:
        yield each


class Parts(Struct, frozen=True, kw_only=True):
    """What differs between a demo and a run: who brings edits, who reads them, who scores them."""

    rules: Sequence[ModelRule]
    """The models; the first one's scores are those that the changes view shows."""
    wikis: Mapping[str, AskedWiki] = {}
    """By wiki_id; it may grow."""
    is_expected: Callable[[str | None], bool] = lambda _: False
    """Tells of a domain whether wikis of it may come to be known."""
    site_of: Callable[[str], Site | None]
    sources: Callable[[], Sequence[Source]] = tuple
    """Makes the sources, at each time that collecting begins."""
    arriving: Callable[[], AsyncIterator[Source]] = _no_more
    """Makes those that come one after another, as wikis answer."""
    named: Callable[[], AsyncIterator[NamedWiki]] = _no_more
    """Makes the configured wikis, one after another as they answer."""
    client: httpx.AsyncClient | None = None
    """What publishes to another EventGate, where the settings name one."""
    consumers: Mapping[str, Consumer] = {}
    """Of the wikis to which patrollers log in, by wiki_id; it may grow."""
    roles: frozenset[Role] = EVERY
    watched: Watched = Watched()
    gate: Gate = field(default_factory=lambda: Gate(is_known=False))
    """What is paused."""
    is_kept: bool = False
    """Whether rows and events stay, however old they are."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of scores, the first model's first."""
        return streams_of(self.rules)

    def reader_of(self, wiki_id: str) -> RevisionReader | None:
        """Return what reads the revisions of a wiki, None if the wiki is not known."""
        wiki = self.wikis.get(wiki_id)
        return wiki.revisions if wiki else None
