"""A real MediaWiki on loopback as a fixture."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
import pytest
from scripts import mediawiki as script

from tests.servers import scripted

PASSWORD = "only-on-loopback"
INSTALLED = Path("/usr/share/mediawiki")
"""Debian bookworm's: 1.39."""
NEWER = Path("/usr/local/share/mediawiki-trixie")
"""Debian trixie's: 1.43."""
ADMIN, BOT = "Admin", "Bot"
ANONYMOUS_TOKEN = "+\\"


class RealWiki:
    """A MediaWiki served from a folder, and what people do on it.

    `user` is None for an anonymous editor (who edits as 127.0.0.1), "Admin" (sysop, bureaucrat,
    suppress), "Bot" (its edits carry the bot flag) or a name given to `create_user`. A refused
    action fails the test with the API's answer.
    """

    def __init__(
        self,
        folder: Path,
        wiki_id: str,
        lang: str,
        code: Path = INSTALLED,
        database: str | None = None,
    ) -> None:
        self.wiki_id = wiki_id
        self.api_url = ""
        self._lang = lang
        self._folder = folder
        self.code = code
        self._database = database
        self._server: subprocess.Popen[str] | None = None
        self._clients: dict[str | None, httpx.Client] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Serve the wiki, at the same address as before if it was served before."""
        options = ["--wiki-id", self.wiki_id, "--lang", self._lang, "--code", str(self.code)]
        options += ["--port", str(urlsplit(self.api_url).port or 0)]
        if self._database is not None:
            options += ["--database", self._database]
        self._server, self.api_url = scripted.start(
            "mediawiki", "start", "--dir", str(self._folder), *options
        )

    def stop(self) -> None:
        """End the server; pages and accounts stay."""
        for client in self._clients.values():
            client.close()
        self._clients.clear()
        if self._server is not None:
            self._server.terminate()
            self._server.communicate()
            self._server = None

    def configure(self, php: str) -> None:
        """Put lines of PHP after the wiki's own settings, instead of what was put there before."""
        (self._folder / "extra.php").write_text(f"<?php\n{php}\n")

    @contextmanager
    def also_configured(self, php: str) -> Iterator[None]:
        """Put lines of PHP after all settings for a while."""
        file = self._folder / "extra.php"
        before = file.read_text()
        file.write_text(f"{before}{php}\n")
        try:
            yield
        finally:
            file.write_text(before)

    def get(self, *, user: str | None = None, **params: Any) -> dict[str, Any]:
        """Ask the Action API (format version 2) and return its answer, errors included."""
        return self.ask(user, **params).raise_for_status().json()

    def ask(self, as_user: str | None, /, **params: Any) -> httpx.Response:
        """Ask the Action API and return the response as it came."""
        return self._client(as_user).get(self.api_url, params=_common(params))

    def page(self, address: str, user: str | None = None) -> httpx.Response:
        """Ask for a page by its path and query, such as /wiki/Special:RecentChanges?limit=50."""
        return self._client(user).get(self.api_url.removesuffix("/w/api.php") + address)

    def edit(
        self,
        title: str,
        text: str,
        summary: str = "",
        user: str | None = None,
        *,
        minor: bool = False,
    ) -> int:
        """Save a page; return the new revision's id. Fails if nothing changed."""
        flags = {"minor": 1} if minor else {}
        if user == BOT:
            flags["bot"] = 1
        answer = self._post(user, action="edit", title=title, text=text, summary=summary, **flags)
        assert "newrevid" in answer["edit"], answer
        return answer["edit"]["newrevid"]

    def undo(self, title: str, rev_id: int, user: str | None = None) -> int:
        """Undo one revision; return the new revision's id."""
        return self._post(user, action="edit", title=title, undo=rev_id)["edit"]["newrevid"]

    def rollback(self, title: str, of: str, user: str = ADMIN) -> int:
        """Roll back the last edits by `of`; return the new revision's id."""
        token = self._token(user, "rollback")
        answer = self._post(user, token=token, action="rollback", title=title, user=of)
        return answer["rollback"]["revid"]

    def delete(self, title: str, reason: str = "") -> None:
        self._post(ADMIN, action="delete", title=title, reason=reason)

    def undelete(self, title: str, reason: str = "") -> None:
        self._post(ADMIN, action="undelete", title=title, reason=reason)

    def move(self, title: str, to: str, reason: str = "", *, leave_redirect: bool = True) -> None:
        flags = {} if leave_redirect else {"noredirect": 1}
        self._post(ADMIN, action="move", **{"from": title}, to=to, reason=reason, **flags)

    def protect(self, title: str, reason: str = "") -> None:
        """Let only sysops edit a page."""
        self._post(ADMIN, action="protect", title=title, protections="edit=sysop", reason=reason)

    def hide_revision(
        self,
        rev_id: int,
        *,
        content: bool = True,
        user: bool = False,
        comment: bool = False,
        suppress: bool = False,
    ) -> None:
        """Hide parts of a revision; with `suppress` from sysops too."""
        self._revision_delete(
            rev_id, "hide", _names(content, user, comment), "yes" if suppress else "nochange"
        )

    def show_revision(
        self, rev_id: int, *, content: bool = True, user: bool = False, comment: bool = False
    ) -> None:
        """Make hidden parts of a revision visible again."""
        self._revision_delete(rev_id, "show", _names(content, user, comment), "no")

    def create_user(self, name: str) -> str:
        """Make an account without any group; return its name as the wiki writes it."""
        answer = self._post(
            None,
            token=self._token(None, "createaccount"),
            token_name="createtoken",
            action="createaccount",
            username=name,
            password=PASSWORD,
            retype=PASSWORD,
            createreturnurl=self.api_url,
        )["createaccount"]
        assert answer["status"] == "PASS", answer
        # The answer also logs the new account in, which the anonymous client must not be.
        self._clients.pop(None).close()
        return answer["username"]

    def set_option(self, user: str, name: str, value: int) -> None:
        """Set a preference."""
        self._post(user, action="options", change=f"{name}={value}")

    def tags(self, rev_id: int) -> list[str]:
        """Return the change tags of a revision."""
        answer = self.get(action="query", prop="revisions", revids=rev_id, rvprop="tags")
        return answer["query"]["pages"][0]["revisions"][0]["tags"]

    def run_jobs(self) -> None:
        """Run the jobs that edits have queued, such as the tag mw-reverted."""
        script.maintenance(self._folder, "runJobs")

    def maintain(self, script: str, *arguments: str) -> None:
        """Run a maintenance script."""
        subprocess.run(
            ["php", self.code / f"maintenance/{script}.php", *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
        )

    def evaluate(self, php: str) -> None:
        """Run a line of PHP in MediaWiki."""
        subprocess.run(
            ["php", self.code / "maintenance/eval.php"],
            env=self.environment,
            input=php,
            text=True,
            check=True,
            capture_output=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        """What tells MediaWiki's scripts which wiki they are for."""
        return {**os.environ, "MW_CONFIG_FILE": str(self._folder / "LocalSettings.php")}

    @property
    def database(self) -> Path:
        """The wiki's SQLite file."""
        return self._folder / "data" / f"{self.wiki_id}.sqlite"

    def dump(self) -> bytes:
        """Return an XML dump of all pages with their whole histories."""
        done = subprocess.run(
            ["php", self.code / "maintenance/dumpBackup.php", "--full", "--quiet"],
            env=self.environment,
            check=True,
            capture_output=True,
        )
        return done.stdout

    def _revision_delete(self, rev_id: int, verb: str, parts: str, suppress: str) -> None:
        self._post(
            ADMIN,
            action="revisiondelete",
            type="revision",
            ids=rev_id,
            suppress=suppress,
            **{verb: parts},
        )

    def session(self, user: str | None) -> httpx.Client:
        """Return the client that a user has logged in with, of None an anonymous one."""
        return self._client(user)

    def _client(self, user: str | None) -> httpx.Client:
        if user not in self._clients:
            self._clients[user] = httpx.Client(timeout=60)
            if user is not None:
                self._log_in(user)
        return self._clients[user]

    def _log_in(self, user: str) -> None:
        answer = self._post(
            user,
            token=self._token(user, "login"),
            token_name="logintoken",
            action="clientlogin",
            username=user,
            password=PASSWORD,
            loginreturnurl=self.api_url,
        )["clientlogin"]
        assert answer["status"] == "PASS", answer

    def _token(self, user: str | None, kind: str = "csrf") -> str:
        if user is None and kind == "csrf":
            return ANONYMOUS_TOKEN
        return self.get(user=user, action="query", meta="tokens", type=kind)["query"]["tokens"][
            f"{kind}token"
        ]

    def _post(
        self,
        as_user: str | None,
        /,
        *,
        token: str | None = None,
        token_name: str = "token",
        **params: Any,
    ) -> dict[str, Any]:
        client = self._client(as_user)
        data = _common(params) | {token_name: token or self._token(as_user)}
        answer = client.post(self.api_url, data=data).raise_for_status().json()
        assert "error" not in answer, answer
        return answer


def _names(content: bool, user: bool, comment: bool) -> str:
    parts = {"content": content, "user": user, "comment": comment}
    return "|".join(part for part, is_meant in parts.items() if is_meant)


def _common(params: dict[str, Any]) -> dict[str, Any]:
    return {"format": "json", "formatversion": 2, **params}


@pytest.fixture(scope="session")
def start_wiki(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[..., RealWiki]]:
    """Return a function (wiki_id, lang, code, database) that makes and serves a further wiki."""
    wikis: list[RealWiki] = []

    def start(
        wiki_id: str = "my_wiki",
        lang: str = "en",
        code: Path = INSTALLED,
        database: str | None = None,
    ) -> RealWiki:
        if not (code / "api.php").exists() or shutil.which("php") is None:
            make = f"unpack --suite trixie --code {code}" if code == NEWER else "install"
            pytest.skip(f"MediaWiki is missing: run 'python3 -m scripts.mediawiki {make}' as root")
        wiki = RealWiki(tmp_path_factory.mktemp(wiki_id), wiki_id, lang, code, database)
        wikis.append(wiki)
        wiki.start()
        return wiki

    yield start
    for wiki in wikis:
        wiki.stop()


@pytest.fixture(scope="session")
def mediawiki(start_wiki: Callable[..., RealWiki]) -> RealWiki:
    """Return an English wiki that all tests share: use titles of your own."""
    return start_wiki()
