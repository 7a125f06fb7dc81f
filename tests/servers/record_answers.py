"""Record what a real MediaWiki answers, for tests that need an answer but no wiki.

    python -m tests.servers.record_answers

writes tests/wiki/fixtures/*.json: each file holds one exchange or a table of them by name, an
exchange being `{"params", "status", "headers", "body"}`. Long texts are cut.
"""

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from tests.servers.mediawiki import ADMIN, BOT, RealWiki

FIXTURES = Path(__file__).parents[1] / "wiki/fixtures"
ADDRESS = "http://127.0.0.1:8480/w/api.php"
RC_PROPS = "ids|title|timestamp|user|userid|flags|comment|sizes|sha1|tags|loginfo|redirect"
REVISION_PROPS = "ids|timestamp|flags|comment|user|userid|size|sha1|tags|content|contentmodel"
HEADERS = ("content-type", "retry-after", "x-database-lag", "mediawiki-api-error")
GENERAL = {
    *("wikiid", "sitename", "generator", "lang", "fallback", "rtl", "case", "mainpage", "base"),
    *("server", "servername", "articlepath", "scriptpath", "script"),
    *("readonly", "timezone", "time", "maxarticlesize"),
}
LONGEST_TEXT = 100


def main() -> None:
    """Make a wiki, let things happen on it, and write down its answers."""
    FIXTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        with _wiki(Path(folder) / "en", "my_wiki", "en") as wiki:
            record_english(wiki)
        with _wiki(Path(folder) / "he", "hewiki", "he") as wiki:
            _write("siteinfo_rtl", siteinfo(wiki))


def record_english(wiki: RealWiki) -> None:
    """Record recent changes, users, revisions, siteinfo and errors of one wiki."""
    _write("siteinfo", siteinfo(wiki))
    of = make_history(wiki)
    recent = {"action": "query", "list": "recentchanges", "rcprop": RC_PROPS, "rcdir": "newer"}
    _write("recentchanges", ask(wiki, **recent, rclimit=50))
    _write("recentchanges_continued", ask(wiki, **recent, rclimit=2))
    names = "Admin|Bot|newcomer|127.0.0.1|Nobody here|Bad#name"
    usprop = "groups|implicitgroups|editcount|registration"
    _write("users", ask(wiki, action="query", list="users", ususers=names, usprop=usprop))
    revisions = {
        "action": "query",
        "prop": "revisions",
        "rvslots": "main",
        "revids": "|".join(map(str, [*of.values(), 999_999])),
    }
    _write("revisions", ask(wiki, **revisions, rvprop=REVISION_PROPS))
    _write("revisions_as_sysop", ask(wiki, user=ADMIN, **revisions, rvprop=REVISION_PROPS))
    _write("errors", dict(errors(wiki)))
    _write("revisions_truncated", truncated(wiki))


def make_history(wiki: RealWiki) -> dict[str, int]:
    """Do one of each thing that shows in recent changes; return the revisions that matter."""
    wiki.edit("Apple", "An apple.", "start")
    of = {"minor": wiki.edit("Apple", "An apple is a fruit.", "more", user=ADMIN, minor=True)}
    of["bot"] = wiki.edit("Apple", "An apple is a fruit. [[cs:Jablko]]", user=BOT)
    of["hidden"] = wiki.edit("Apple", "A rude word", "rude summary")
    of["reverting"] = wiki.undo("Apple", of["hidden"], user=ADMIN)
    wiki.hide_revision(of["hidden"], content=True, user=True, comment=True)
    of["first"] = wiki.edit("Pear", "A pear.")
    wiki.move("Pear", "Quince", "better name")
    wiki.protect("Quince", "too good")
    of["deleted"] = wiki.edit("Spam", "Buy!")
    wiki.delete("Spam", "advertisement")
    of["restored"] = wiki.edit("Plum", "A plum.")
    wiki.delete("Plum", "mistake")
    wiki.undelete("Plum", "sorry")
    wiki.edit("Fig", "A fig.")
    of["suppressed"] = wiki.edit("Fig", "A fig. Call 555 0100!")
    of["after"] = wiki.edit("Fig", "A fig.")
    wiki.hide_revision(of["suppressed"], content=True, user=True, suppress=True)
    wiki.edit("Talk:Apple", "Tasty.", user=wiki.create_user("Newcomer"))
    of["redirect"] = wiki.edit("Malus", "#REDIRECT [[Apple]]")
    of["script"] = wiki.edit("User:Admin/common.js", "var a;", user=ADMIN)
    return of


def siteinfo(wiki: RealWiki) -> dict[str, Any]:
    """Ask what a client needs to know of a wiki."""
    properties = "general|namespaces|namespacealiases|rightsinfo"
    exchange = ask(wiki, action="query", meta="siteinfo", siprop=properties)
    general = exchange["body"]["query"]["general"]
    exchange["body"]["query"]["general"] = {
        key: value for key, value in general.items() if key in GENERAL
    }
    return exchange


def errors(wiki: RealWiki) -> Iterable[tuple[str, dict[str, Any]]]:
    """Ask what cannot be answered."""
    query = {"action": "query", "list": "recentchanges", "rcprop": "ids", "rclimit": 1}
    yield "unknown_action", ask(wiki, action="nonsense")
    yield "unknown_module", ask(wiki, action="query", list="oresscores")
    yield "unknown_property", ask(wiki, **query | {"rcprop": "ids|oresscores"})
    yield "patrolled_without_right", ask(wiki, **query | {"rcprop": "ids|patrolled"})
    yield "bad_continue", ask(wiki, **query, rccontinue="nonsense")
    many = "|".join(map(str, range(1, 52)))
    yield "too_many_values", ask(wiki, action="query", prop="revisions", revids=many)
    yield "plaintext_format", ask(wiki, action="nonsense", errorformat="plaintext")
    for name, settings, params in (
        ("maxlag", "$wgJobQueueIncludeInMaxLagFactor = 1;", {"maxlag": 5}),
        ("private", "$wgGroupPermissions['*']['read'] = false;", {}),
        ("exception", "$wgHooks['APIQueryAfterExecute'][] = 'no_such_function';", {}),
        ("broken_settings", "throw new Exception( 'broken' );", {}),
    ):
        wiki.configure(settings)
        yield name, ask(wiki, **query, **params)
    wiki.configure("")
    page = httpx.get(ADDRESS.replace("api.php", "index.php"), follow_redirects=True)
    yield "page_instead_of_api", _exchange(page, {})
    yield "help_page", _exchange(httpx.get(ADDRESS), {})


def truncated(wiki: RealWiki) -> list[dict[str, Any]]:
    """Ask for more text than fits into one answer, then for the rest."""
    rev_ids = [wiki.edit(f"Large {number}", "x" * 2_000_000) for number in range(5)]
    params = {
        "action": "query",
        "prop": "revisions",
        "rvslots": "main",
        "rvprop": "ids|content",
        "revids": "|".join(map(str, rev_ids)),
    }
    first = ask(wiki, **params)
    return [first, ask(wiki, **params, **first["body"]["continue"])]


def ask(wiki: RealWiki, *, user: str | None = None, **params: Any) -> dict[str, Any]:
    """Ask the wiki's API; return the exchange."""
    return _exchange(wiki.ask(user, **params), params)


def _exchange(answer: httpx.Response, params: dict[str, Any]) -> dict[str, Any]:
    is_json = answer.headers["content-type"].startswith("application/json")
    return {
        "params": params,
        "status": answer.status_code,
        "headers": {name: answer.headers[name] for name in HEADERS if name in answer.headers},
        "body": _cut(answer.json() if is_json else answer.text),
    }


def _cut(value: Any) -> Any:
    cut: Callable[[Any], Any] = _cut
    if isinstance(value, dict):
        return {key: cut(item) for key, item in value.items() if key not in ("docref", "trace")}
    if isinstance(value, list):
        return [cut(item) for item in value]
    return value[:LONGEST_TEXT] if isinstance(value, str) else value


def _wiki(folder: Path, wiki_id: str, lang: str) -> RealWiki:
    wiki = RealWiki(folder, wiki_id, lang)
    wiki.api_url = ADDRESS
    return wiki


def _write(name: str, content: object) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (FIXTURES / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
