"""Connections to the configured wikis."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path

import httpx
import structlog
from msgspec import Struct, field
from msgspec.structs import replace

from revision_quality import settings
from revision_quality.bell import Bell
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import (
    NotAWikiError,
    RevisionQualityError,
    SettingsError,
    StoreError,
    WikiError,
    WikiUnavailableError,
)
from revision_quality.state_file import StateFile
from revision_quality.wiki.client import USER_AGENT, ActionApi
from revision_quality.wiki.siteinfo import SiteInfo, read_siteinfo

START_SECONDS = 5.0
"""As soon as one wiki has answered, a start waits no longer than this for the others."""

_TIMEOUT_SECONDS = 30.0
_FIRST_CONTACT_SECONDS = 15.0
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 60.0
_ASKED_AT_ONCE = 50
_IDLE_SECONDS = 3600.0
_HINT = "check the address, and that the wiki is up"

_log = structlog.get_logger()


class ConnectedWiki(Struct, frozen=True, eq=False):
    """A configured wiki, its API, and what it says of itself.

    `ended` is set once it is out of the settings, or there with others.
    """

    settings: settings.Wiki
    api: ActionApi
    info: SiteInfo
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def wiki_id(self) -> str:
        """The wiki's identifier."""
        return self.info.site.wiki_id


def http_client() -> httpx.AsyncClient:
    """Return the client that all wikis share.

    Its connections are not limited in number, those of each wiki are (`slots`): wikis that do not
    answer would keep the others from having any.
    """
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    return httpx.AsyncClient(http2=True, timeout=_TIMEOUT_SECONDS, limits=limits)


def streams_client() -> httpx.AsyncClient:
    """Return the client that follows an EventStreams service, which asks to be told who comes."""
    return httpx.AsyncClient(
        http2=True,
        timeout=_TIMEOUT_SECONDS,
        follow_redirects=True,
        headers={"User-Agent": USER_AGENT},
    )


def open_api(wiki: settings.Wiki, client: httpx.AsyncClient) -> ActionApi:
    """Return the API of a wiki. Raises SettingsError if its access token is not there."""
    settings.check_api_url(wiki.api)
    token = settings.access_token(
        wiki.access_token_env, wiki.api, "its access token (access_token_env)"
    )
    return ActionApi(wiki.api, client, slots=wiki.slots, access_token=token)


class Wikis:
    """The configured wikis: those that have said who they are, and those that have not yet.

    What a wiki has said is kept in the data folder: one that has answered before, and now does not
    or answers as no wiki, such as its proxy's page, is taken as it was.
    """

    def __init__(
        self,
        wikis: Sequence[settings.Wiki],
        client: httpx.AsyncClient,
        data: Path,
        clock: Clock = system_clock,
    ) -> None:
        self._apis = {wiki.api: (wiki, open_api(wiki, client)) for wiki in wikis}
        self._client = client
        self._data = data
        self._clock = clock
        self._asking = asyncio.Semaphore(_ASKED_AT_ONCE)
        self._asked: dict[asyncio.Task[None], str] = {}
        self._persevering: dict[str, asyncio.Task[None]] = {}
        self._tell: Callable[[ConnectedWiki], None] = lambda _: None
        self._tell_end: Callable[[ConnectedWiki], None] = lambda _: None
        self._bell = Bell()
        self._errors: dict[str, RevisionQualityError] = {}
        self.connected: dict[str, ConnectedWiki] = {}
        """By wiki_id."""

    @property
    def unreachable(self) -> dict[str, str]:
        """The wikis that have never answered, by api, and what is wrong."""
        known = {wiki.settings.api for wiki in self.connected.values()}
        waiting = "has not answered yet"
        return {api: str(self._errors.get(api, waiting)) for api in self._apis if api not in known}

    async def connect(self, patience: float = START_SECONDS) -> None:
        """Ask every wiki who it is; return as soon as it is clear that there is work.

        Those that do not answer are waited for, and be they all: a host starts before its wiki.
        Raises WikiError if each is known to be wrong: what answers is no wiki, or it says no.
        Raises SettingsError for two with one wiki_id.
        """
        self._asked = {asyncio.create_task(self._first(api)): api for api in self._apis}
        _, late = await asyncio.wait(self._asked, timeout=patience)
        for task in [task for task in late if self._falls_back(task)]:
            late.remove(task)
            del self._asked[task]
        while late and not self.connected:
            _, late = await asyncio.wait(late, return_when=asyncio.FIRST_COMPLETED)
        for task in self._asked.keys() - late:
            task.result()
        self._asked = {task: api for task, api in self._asked.items() if task in late}
        if not self.connected and not any(map(_is_temporary, self._errors.values())):
            raise self._errors[min(self._errors, key=list(self._apis).index)]

    def is_expected(self, domain: str | None) -> bool:
        """Tell whether a wiki of `domain` may be one that has not said who it is.

        Any may be while none is connected, or those that were asked at the start still have time
        to answer: a wiki may be asked at another address than its public one.
        """
        is_starting = not self.connected or any(not task.done() for task in self._asked)
        return is_starting or self.is_awaited(domain)

    def is_awaited(self, domain: str | None) -> bool:
        """Tell whether `domain` is that of a wiki which has not said who it is."""
        addresses = map(httpx.URL, self.unreachable)
        # Events have names of other scripts in ASCII, people write them as they are.
        return any(domain in (one.host, one.raw_host.decode()) for one in addresses)

    def persevere(self) -> None:
        """Go on asking those that have not answered, until `close`; once is enough."""
        if self._persevering:
            return
        under_way = {api: task for task, api in self._asked.items()}
        self._persevering = {
            api: asyncio.create_task(self._persevere(api, under_way.get(api)))
            for api in self.unreachable
        }

    def on_connect(
        self,
        tell: Callable[[ConnectedWiki], None],
        tell_end: Callable[[ConnectedWiki], None] = lambda _: None,
    ) -> None:
        """Have every wiki told of that connects from now on, or is taken out of the settings."""
        self._tell, self._tell_end = tell, tell_end

    def change(self, wikis: Sequence[settings.Wiki]) -> None:
        """Take the wikis of other settings: new ones are asked, those that are gone end.

        One whose settings have changed goes on with the new ones, and is not asked again who it is.
        Raises SettingsError, all being as it was, if an access token is not there.
        """
        new = {wiki.api: wiki for wiki in wikis}
        opened = {
            api: (wiki, open_api(wiki, self._client))
            for api, wiki in new.items()
            if api not in self._apis or self._apis[api][0] != wiki
        }
        for api in self._apis.keys() - new.keys():
            self._drop(api)
        by_api = {wiki.settings.api: wiki for wiki in self.connected.values()}
        for api, (wiki, opened_api) in opened.items():
            self._apis[api] = (wiki, opened_api)
            old = by_api.get(api)
            if old is None:
                self._stop_asking(api)
                first = asyncio.create_task(self._first(api))
                self._persevering[api] = asyncio.create_task(self._persevere(api, first))
            else:
                ended = asyncio.Event()
                self.connected[old.wiki_id] = replace(
                    old, settings=wiki, api=opened_api, ended=ended
                )
                self._tell(self.connected[old.wiki_id])
                old.ended.set()
        self._bell.ring()

    def _drop(self, api: str) -> None:
        del self._apis[api]
        self._errors.pop(api, None)
        self._stop_asking(api)
        for wiki_id, wiki in list(self.connected.items()):
            if wiki.settings.api == api:
                del self.connected[wiki_id]
                wiki.ended.set()
                self._tell_end(wiki)

    def _stop_asking(self, api: str) -> None:
        asking = self._persevering.pop(api, None)
        if asking is not None:
            asking.cancel()

    async def each(self) -> AsyncIterator[ConnectedWiki]:
        """Yield every connected wiki, and further ones as they answer; does not end.

        One that has changed comes again.
        """
        seen: dict[str, ConnectedWiki] = {}
        while True:
            rings = self._bell.rings
            for wiki_id, wiki in list(self.connected.items()):
                if seen.get(wiki_id) is not wiki:
                    seen[wiki_id] = wiki
                    yield wiki
            await self._bell.wait(rings, _IDLE_SECONDS)

    async def close(self) -> None:
        """Stop asking."""
        tasks = [*self._persevering.values(), *self._asked]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _first(self, api: str) -> None:
        """Ask once, falling back on what the wiki said before. Raises SettingsError."""
        try:
            await self._ask(api)
        except (WikiUnavailableError, NotAWikiError) as error:
            if not self._add_stored(api, str(error)):
                self._errors[api] = error
        except WikiError as error:
            self._errors[api] = error

    def _falls_back(self, asking: asyncio.Task[None]) -> bool:
        """Ask no more where the wiki has said before who it is; tell whether it has."""
        api = self._asked[asking]
        if not self._add_stored(api, f"{api} has not answered yet"):
            return False
        asking.cancel()
        return True

    def _add_stored(self, api: str, error: str) -> bool:
        stored = self._store(api).load()
        if stored is None:
            return False
        _log.warning("a wiki does not answer, taking it as it was", api=api, error=error)
        self._apis[api][1].has_answered = True
        self._add(api, stored)
        return True

    async def _persevere(self, api: str, under_way: asyncio.Task[None] | None) -> None:
        pause, told = _FIRST_PAUSE, ""
        if under_way is not None:
            await self._quietly(api, under_way)
        while (problem := self.unreachable.get(api)) is not None:
            if problem != told:
                _log.warning("a wiki cannot be connected, trying again", error=problem)
                told = problem
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            await self._quietly(api, asyncio.ensure_future(self._ask(api)))
        _log.info("a wiki is connected", api=api)

    async def _quietly(self, api: str, asking: asyncio.Future[None]) -> None:
        try:
            await asking
        except (WikiError, SettingsError, StoreError) as error:
            # The others are at work already.
            self._errors[api] = error

    async def _ask(self, api: str) -> None:
        async with self._asking:
            info = await first_contact(self._apis[api][1])
        self._add(api, info)
        self._store(api).save(info)

    def _add(self, api: str, info: SiteInfo) -> None:
        other = self.connected.get(info.site.wiki_id)
        if other is not None:
            raise SettingsError(
                f"wikis: {other.settings.api} and {api} both say that they are"
                f" {info.site.wiki_id}: remove one"
            )
        wiki = self.connected[info.site.wiki_id] = ConnectedWiki(*self._apis[api], info)
        self._errors.pop(api, None)
        self._tell(wiki)
        self._bell.ring()

    def _store(self, api: str) -> StateFile[SiteInfo]:
        name = hashlib.sha256(api.encode()).hexdigest()[:16]
        return StateFile(self._data / "wikis" / f"{name}.json", SiteInfo)


def _is_temporary(error: RevisionQualityError) -> bool:
    return isinstance(error, WikiUnavailableError)


async def first_contact(api: ActionApi) -> SiteInfo:
    """Ask a wiki who it is, with little patience: somebody waits. Raises WikiError."""
    try:
        async with asyncio.timeout(_FIRST_CONTACT_SECONDS):
            return await read_siteinfo(api)
    except WikiUnavailableError as error:
        raise WikiUnavailableError(f"{error}: {_HINT}", error.retry_after) from error
    except TimeoutError as error:
        raise WikiUnavailableError(
            f"{api.api_url} has not answered within {_FIRST_CONTACT_SECONDS:.0f} seconds: {_HINT}"
        ) from error
