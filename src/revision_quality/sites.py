"""Which wiki a wiki_id names: its language, its addresses, its namespaces.

The open Wikipedias come from a table in this package (`wikipedias.tsv`), because neither the
language nor the domain can be derived from a wiki_id: `alswiki` is Alemannic (`gsw`) at
als.wikipedia.org, `be_x_oldwiki` is at be-tarask.wikipedia.org. A `Site` of any other wiki is made
from what its API says of itself (meta=siteinfo).
"""

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

Direction = Literal["ltr", "rtl"]

WIKI_ID = r"[\w$-][\w$.-]{0,63}"
"""What a wiki_id is like: files and rows are named after it."""

_SPECIAL, _USER, _USER_TALK = -1, 2, 3
_CANONICAL_NAMESPACES = {_SPECIAL: "Special", _USER: "User", _USER_TALK: "User talk"}


class Site(Struct, frozen=True, kw_only=True):
    """One wiki and how its pages are addressed.

    `lang` is the content language as HTML wants it (BCP 47), `dir` its direction. `server` has the
    scheme and no final slash, `article_path` holds `$1` for the title, as in siteinfo. `code` is
    the language code of the domain (`als`), "" outside Wikipedia.
    `namespaces` maps namespace numbers to local names and may lack any of them: MediaWiki
    understands the canonical English names in every language. `zone` is the IANA time zone in which
    it tells times, "" where that is not known. `recent_changes` are its local names of the special
    page RecentChanges, without the namespace, none where they are not known.
    """

    wiki_id: str
    name: str
    lang: str
    dir: Direction
    server: str
    code: str = ""
    article_path: str = "/wiki/$1"
    script_path: str = "/w"
    namespaces: dict[int, str] = {}
    zone: str = ""
    recent_changes: tuple[str, ...] = ()

    @property
    def api_url(self) -> str:
        """Address of the Action API."""
        return f"{self.server}{self.script_path}/api.php"

    def page_url(self, title: str) -> str:
        """Address of a page; `title` with its namespace prefix, spaces or underscores."""
        return self.server + self.article_path.replace("$1", encode_title(title))

    def diff_url(self, rev_id: int, parent_id: int | None) -> str:
        """Address of what an edit changed; of the revision itself if it made the page.

        `parent_id` is 0 for the first revision of a page, None if unknown.
        """
        if parent_id == 0:
            return self._index(f"oldid={rev_id}")
        if parent_id is None:
            return self._index(f"diff=prev&oldid={rev_id}")
        return self._index(f"diff={rev_id}&oldid={parent_id}")

    def history_url(self, title: str) -> str:
        """Address of a page's history."""
        return self._index(f"title={encode_title(title)}&action=history")

    def undo_url(self, title: str, rev_id: int, parent_id: int) -> str:
        """Address of the form that takes back an edit; `parent_id` 0 where it is not known."""
        query = f"title={encode_title(title)}&action=edit&undo={rev_id}"
        return self._index(f"{query}&undoafter={parent_id}" if parent_id else query)

    def rollback_url(self, title: str, user_text: str) -> str:
        """Address that asks whether to take back all of a user's latest edits to a page."""
        by = quote(user_text, safe="")
        return self._index(f"title={encode_title(title)}&action=rollback&from={by}")

    def user_url(self, user_text: str) -> str:
        """Address of a user page."""
        return self.page_url(f"{self._namespace(_USER)}:{user_text}")

    def user_talk_url(self, user_text: str) -> str:
        """Address of a user's talk page."""
        return self.page_url(f"{self._namespace(_USER_TALK)}:{user_text}")

    def contributions_url(self, user_text: str) -> str:
        """Address of a user's contributions."""
        return self.page_url(f"{self._namespace(_SPECIAL)}:Contributions/{user_text}")

    def _index(self, query: str) -> str:
        return f"{self.server}{self.script_path}/index.php?{query}"

    def _namespace(self, number: int) -> str:
        return self.namespaces.get(number) or _CANONICAL_NAMESPACES[number]


def encode_title(title: str) -> str:
    """Percent-encode a page title as MediaWiki writes it in addresses.

    Spaces become underscores; the characters that MediaWiki keeps besides the unreserved ones are
    those of its `wfUrlencode`.
    """
    return quote(title.replace(" ", "_"), safe=";@$!*(),/:~")


def site_of(wiki_id: str) -> Site | None:
    """Return the open Wikipedia with this wiki_id, None if there is none in the table."""
    return wikipedias().get(wiki_id)


def wiki_id_of(lang: str) -> str | None:
    """Return the wiki_id of the open Wikipedia in a language, None if there is none in the table.

    `lang` is the code in the domain (`als`), the language's standard code (`gsw`) or a former
    domain's; case and the choice of `-` or `_` do not matter.
    """
    return _wiki_ids().get(_normal_code(lang))


@cache
def wikipedias() -> Mapping[str, Site]:
    """Return all open Wikipedias by wiki_id."""
    return MappingProxyType({row["wiki_id"]: _site(row) for row in _rows()})


@cache
def _wiki_ids() -> Mapping[str, str]:
    """Return the wiki_id of each language code; the domain's own code goes before the others.

    Simple English is written in `en`, which is the domain of another Wikipedia.
    """
    by_lang = {row["lang"]: row["wiki_id"] for row in _rows()}
    by_alias = {alias: row["wiki_id"] for row in _rows() for alias in row["aliases"].split()}
    by_code = {row["code"]: row["wiki_id"] for row in _rows()}
    wiki_ids = by_lang | by_alias | by_code
    return MappingProxyType({_normal_code(code): wiki_ids[code] for code in wiki_ids})


@cache
def _rows() -> tuple[dict[str, str], ...]:
    table = resources.files(__package__).joinpath("wikipedias.tsv").read_text("utf-8")
    return tuple(csv.DictReader(table.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))


def _site(row: Mapping[str, str]) -> Site:
    return Site(
        wiki_id=row["wiki_id"],
        name=row["name"],
        lang=row["lang"],
        dir="rtl" if row["dir"] == "rtl" else "ltr",
        server=f"https://{row['code']}.wikipedia.org",
        code=row["code"],
    )


def _normal_code(code: str) -> str:
    return code.replace("_", "-").lower()
