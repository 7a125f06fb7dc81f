"""The tables that views keep in the wikis' own databases: ORES's, and our extension's."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack

from msgspec import Struct

from revision_quality.mediawiki_tables_block import MediaWikiTablesBlock
from revision_quality.models.lift_wing import UNKNOWN_VERSION
from revision_quality.ores_tables_block import OresTablesBlock
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.scoring.model_rule import ModelRule, is_other, streams_of, versions_of
from revision_quality.settings import Wiki
from revision_quality.streams.base import Streams
from revision_quality.views import mediawiki_facts, ores_facts
from revision_quality.views.database import Database
from revision_quality.views.materialiser import Materialiser
from revision_quality.views.mediawiki_place import open_mediawiki_tables
from revision_quality.views.mediawiki_upkeep import MediaWikiUpkeep
from revision_quality.views.one_model import OneModel
from revision_quality.views.ores_place import open_ores_tables
from revision_quality.views.ores_upkeep import OresUpkeep
from revision_quality.views.score_store import ScoreStore

Work = Callable[[], Awaitable[None]]

_LOOK_SECONDS = 0.2


class NamedWiki(Struct, frozen=True):
    """A configured wiki that has said who it is."""

    wiki_id: str
    settings: Wiki


def has_tables(wiki: Wiki) -> bool:
    """Tell whether a wiki's own tables are kept."""
    return wiki.ores_tables is not None or wiki.mediawiki_tables is not None


class WikiTables:
    """Keeps the tables of wikis in step with `streams`.

    `stores` find or make the scores of each model by its name; `views` keeps the positions;
    `levels` are those of the first model.
    """

    def __init__(
        self,
        streams: Streams,
        rules: Sequence[ModelRule],
        stores: Mapping[str, ScoreStore],
        views: Database,
        levels: CurrentLevels,
    ) -> None:
        self._streams = streams
        self._rules = rules
        self._stores = stores
        self._views = views
        self._levels = levels

    async def keep(self, wikis: AsyncIterator[NamedWiki]) -> None:
        """Begin with each wiki as it comes, go on with all of them.

        Raises SettingsError for tables of a model that is not there, StoreError for a database that
        cannot be opened.
        """
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.TaskGroup() as tasks:
                    async for wiki in wikis:
                        for work in self._works(wiki, stack):
                            tasks.create_task(_awaiting(work))
            except ExceptionGroup as errors:
                raise errors.exceptions[0] from errors

    def _works(self, wiki: NamedWiki, stack: AsyncExitStack) -> Iterator[Work]:
        ores, mediawiki = wiki.settings.ores_tables, wiki.settings.mediawiki_tables
        if ores is not None:
            yield from self._ores(ores, wiki.wiki_id, stack)
        if mediawiki is not None:
            yield from self._mediawiki(mediawiki, wiki.wiki_id, stack)

    def _ores(self, block: OresTablesBlock, wiki_id: str, stack: AsyncExitStack) -> Iterator[Work]:
        tables = open_ores_tables(block, wiki_id, versions_of(self._rules), self._views)
        stack.push_async_callback(tables.close)
        names = dict.fromkeys([*ores_facts.STREAMS, *streams_of(self._rules)])
        yield Materialiser(self._streams, tables, list(names)).run
        yield OresUpkeep(tables, self._stores).run

    def _mediawiki(
        self, block: MediaWikiTablesBlock, wiki_id: str, stack: AsyncExitStack
    ) -> Iterator[Work]:
        first, *others = self._rules
        name, version = first.model.name, first.model.version
        model = None if version == UNKNOWN_VERSION else (name, version)
        levels = self._levels.now.of(wiki_id)
        tables = open_mediawiki_tables(block, wiki_id, levels, self._views, model=model)
        stack.push_async_callback(tables.close)
        view = OneModel(tables, is_other(self._rules)) if others else tables
        names = dict.fromkeys([*mediawiki_facts.STREAMS, first.stream])
        materialiser = Materialiser(self._streams, view, list(names))
        upkeep = MediaWikiUpkeep(tables, lambda: self._levels.now.of(wiki_id))
        yield materialiser.run
        yield lambda: _once_caught_up(materialiser, upkeep.run)


async def _once_caught_up(materialiser: Materialiser, work: Work) -> None:
    """Work when the scores of a model that is shown from now on are there: levels go with them."""
    while not materialiser.has_caught_up:  # noqa: ASYNC110 (it rings no bell)
        await asyncio.sleep(_LOOK_SECONDS)
    await work()


async def _awaiting(work: Work) -> None:
    await work()
