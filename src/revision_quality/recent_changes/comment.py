"""Edit summaries: MediaWiki's section marks and links taken apart, never as markup."""

import re
from collections.abc import Iterator
from urllib.parse import quote, unquote

from msgspec import Struct

from revision_quality.sites import Site

MAX_CHARACTERS = 1000
"""Longer summaries are cut; MediaWiki stores at most 500 characters (CommentStore)."""

_SECTION = re.compile(r"/\*\s*(.*?)\s*\*/", re.DOTALL)
_LINK = re.compile(r"\[\[:?([^\[\]|{}<>\n]{1,255})(?:\|([^\[\]\n]{0,255}))?\]\]")


class Part(Struct, frozen=True):
    """A piece of a summary: plain text, a link where `url` is set, a section's name in grey."""

    text: str
    url: str | None = None
    is_section: bool = False


def parts_of(comment: str, title: str, site: Site | None) -> tuple[Part, ...]:
    """Take a summary apart as MediaWiki's CommentParser shows it.

    `/* Name */` becomes "→Name", linked to the section of the page `title`, with a colon where
    text follows; `[[target|label]]`, percent-encoded or not, becomes a link to the wiki's page, or
    text without a site.
    """
    if len(comment) > MAX_CHARACTERS:
        comment = comment[:MAX_CHARACTERS] + "…"
    return tuple(_parts(comment, title, site))


def _parts(comment: str, title: str, site: Site | None) -> Iterator[Part]:
    end = 0
    for match in _SECTION.finditer(comment):
        yield from _linked(comment[end : match.start()], title, site)
        end = match.end()
        name = _plain(match[1])
        if name:
            colon = ": " if comment[end:].strip() else ""
            url = _with_fragment(site.page_url(title), name) if site and title else None
            yield Part(f"→{name}", url, is_section=True)
            if colon:
                yield Part(colon, is_section=True)
                end += len(comment[end:]) - len(comment[end:].lstrip())
    yield from _linked(comment[end:], title, site)


def _linked(text: str, title: str, site: Site | None) -> Iterator[Part]:
    end = 0
    for match in _LINK.finditer(text):
        if match.start() > end:
            yield Part(text[end : match.start()])
        end = match.end()
        target, label = match[1].strip(), match[2]
        yield Part(label or target, _url(target, title, site))
    if end < len(text):
        yield Part(text[end:])


def _url(target: str, title: str, site: Site | None) -> str | None:
    page, _, fragment = unquote(target).partition("#")
    page = page.strip() or title
    if site is None or not page:
        return None
    return _with_fragment(site.page_url(page), fragment.strip())


def _with_fragment(url: str, name: str) -> str:
    return f"{url}#{quote(name.replace(' ', '_'), safe='!$&()*+,;=:@/?')}" if name else url


def _plain(name: str) -> str:
    return _LINK.sub(lambda match: match[2] or match[1], name)
