"""Connections to the configured wikis."""

import asyncio
import hashlib
from collections.abc import Sequence
from pathlib import Path

import httpx
import structlog
from msgspec import Struct

from revision_quality import settings
from revision_quality.errors import SettingsError, WikiUnavailableError
from revision_quality.state_file import StateFile
from revision_quality.wiki.client import ActionApi
from revision_quality.wiki.siteinfo import SiteInfo, read_siteinfo

_TIMEOUT_SECONDS = 30.0
_FIRST_CONTACT_SECONDS = 15.0
_HINT = "check the address, and that the wiki is up"

_log = structlog.get_logger()


class ConnectedWiki(Struct, frozen=True):
    """A configured wiki, its API, and what it says of itself."""

    settings: settings.Wiki
    api: ActionApi
    info: SiteInfo


def http_client() -> httpx.AsyncClient:
    """Return the client that all wikis share."""
    return httpx.AsyncClient(http2=True, timeout=_TIMEOUT_SECONDS)


def open_api(wiki: settings.Wiki, client: httpx.AsyncClient) -> ActionApi:
    """Return the API of a wiki. Raises SettingsError if its access token is not there."""
    settings.check_api_url(wiki.api)
    token = settings.access_token(
        wiki.access_token_env, wiki.api, "its access token (access_token_env)"
    )
    return ActionApi(wiki.api, client, slots=wiki.slots, access_token=token)


async def connect(
    wikis: Sequence[settings.Wiki], client: httpx.AsyncClient, data: Path
) -> list[ConnectedWiki]:
    """Ask every wiki who it is.

    A wiki that does not answer now but has answered before is taken as it was: its edits wait for
    it. Raises WikiError for one that never answered, SettingsError for two with one wiki_id.
    """
    apis = [open_api(wiki, client) for wiki in wikis]
    connected = await asyncio.gather(
        *(_connect(wiki, api, data) for wiki, api in zip(wikis, apis, strict=True))
    )
    by_id: dict[str, str] = {}
    for wiki in connected:
        wiki_id = wiki.info.site.wiki_id
        if wiki_id in by_id:
            raise SettingsError(
                f"wikis: {by_id[wiki_id]} and {wiki.settings.api} both say that they are {wiki_id}:"
                " remove one"
            )
        by_id[wiki_id] = wiki.settings.api
    return connected


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


async def _connect(wiki: settings.Wiki, api: ActionApi, data: Path) -> ConnectedWiki:
    name = hashlib.sha256(wiki.api.encode()).hexdigest()[:16]
    known = StateFile(data / "wikis" / f"{name}.json", SiteInfo)
    try:
        info = await first_contact(api)
    except WikiUnavailableError as error:
        stored = known.load()
        if stored is None:
            raise
        _log.warning("the wiki does not answer, going on without it", error=str(error))
        return ConnectedWiki(wiki, api, stored)
    known.save(info)
    return ConnectedWiki(wiki, api, info)
