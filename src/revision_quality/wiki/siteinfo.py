"""What a wiki says of itself."""

import re
from urllib.parse import urlsplit

from msgspec import Struct

from revision_quality.errors import NotAWikiError, WikiRefusedError
from revision_quality.sites import WIKI_ID, Site, site_of
from revision_quality.wiki.client import ActionApi, Answer, reading

OLDEST_MEDIAWIKI = (1, 35)
"""The first release whose API has all that is asked here; older ones are out of support."""

BATCH, HIGH_BATCH = 50, 500
"""Values in one request for everyone, and with the right apihighlimits (www.mediawiki.org,
API:Etiquette and API:Query)."""


class SiteInfo(Struct, frozen=True, kw_only=True):
    """A wiki: its site, its software, and how many values one request may have."""

    site: Site
    generator: str
    batch: int = BATCH


async def read_siteinfo(api: ActionApi) -> SiteInfo:
    """Ask a wiki who it is.

    Raises NotAWikiError for an answer without siteinfo or a MediaWiki older than 1.35,
    WikiRefusedError for a wiki that needs a login.
    """
    try:
        answer = await api.get(
            action="query",
            meta=["siteinfo", "userinfo"],
            siprop=["general", "namespaces", "specialpagealiases"],
            uiprop=["rights"],
        )
    except WikiRefusedError as error:
        if error.code == "readapidenied":
            raise WikiRefusedError(
                f"{api.api_url} may only be read by its users: make an owner-only OAuth 2 consumer"
                " on the wiki and give its access token (setting access_token_env)",
                error.code,
            ) from error
        raise
    with reading(api.api_url, "siteinfo"):
        return _siteinfo(api.api_url, answer)


def _siteinfo(api_url: str, answer: Answer) -> SiteInfo:
    general = answer["query"]["general"]
    _check_version(api_url, general["generator"])
    _check_wiki_id(api_url, general["wikiid"])
    rights = answer["query"].get("userinfo", {}).get("rights", ())
    return SiteInfo(
        site=_site(api_url, answer["query"]),
        generator=general["generator"],
        batch=HIGH_BATCH if "apihighlimits" in rights else BATCH,
    )


def _site(api_url: str, answer: Answer) -> Site:
    general = answer["general"]
    pages = {page["realname"]: page["aliases"] for page in answer.get("specialpagealiases", ())}
    scheme = urlsplit(api_url).scheme
    server = general["server"]
    known = site_of(general["wikiid"])
    return Site(
        wiki_id=general["wikiid"],
        name=general["sitename"],
        lang=known.lang if known else general["lang"],
        dir="rtl" if general.get("rtl") else "ltr",
        server=f"{scheme}:{server}" if server.startswith("//") else server,
        code=known.code if known else "",
        article_path=general["articlepath"],
        script_path=general["scriptpath"],
        namespaces={int(key): value["name"] for key, value in answer["namespaces"].items()},
        zone=str(general.get("timezone", "")),
        recent_changes=tuple(pages.get("Recentchanges", ())),
    )


def _check_version(api_url: str, generator: str) -> None:
    found = re.match(r"MediaWiki (\d+)\.(\d+)", generator)
    if found and tuple(map(int, found.groups())) < OLDEST_MEDIAWIKI:
        oldest = ".".join(map(str, OLDEST_MEDIAWIKI))
        raise NotAWikiError(f"{api_url} runs {generator}; revq needs MediaWiki {oldest} or newer")


def _check_wiki_id(api_url: str, wiki_id: str) -> None:
    """Refuse what names no database."""
    if not re.fullmatch(WIKI_ID, wiki_id):
        raise NotAWikiError(f"{api_url} says that its wiki id is {wiki_id!r}, which cannot be one")
