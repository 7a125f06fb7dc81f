"""Patrollers who have logged in to a wiki: their tokens live in their own cookie, sealed."""

import asyncio
import hmac
import time
from collections.abc import Mapping
from functools import cache
from hashlib import sha256
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qsl, quote

import structlog
from msgspec import Struct
from msgspec.structs import replace
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from revision_quality.errors import WikiError, WikiRefusedError
from revision_quality.recent_changes.filters import parse_filters
from revision_quality.recent_changes.presentation import PATH
from revision_quality.web.consumer import NO_TOKEN, Asking, Consumer, Tokens
from revision_quality.web.forms import read_form
from revision_quality.web.same_origin import is_from_elsewhere
from revision_quality.web.sealed import Seal
from revision_quality.wiki.patroller import Patroller

OAUTH_PATH = "/oauth"
LOGIN_SECONDS = 7 * 86400
_ASKING, _ASKING_SECONDS = "revq_asking", 600
_RENEW_SECONDS = 60
"""Before the end of an access token, which MediaWiki gives for four hours."""

_SHARED_SECONDS = 60
"""How long new tokens are for who comes with the old ones."""

_log = structlog.get_logger()


class Login(Struct, frozen=True):
    """A user of a wiki, what acts in their name, and a number of this login that stays secret."""

    user: str
    tokens: Tokens
    secret: str


class Door(Struct, frozen=True):
    """Where one logs in to a wiki; who has, "" for nobody, and what their forms carry."""

    wiki_id: str
    name: str
    user: str = ""
    csrf: str = ""


class Logins:
    """Logs users in and out. `consumers` are by wiki_id and may grow."""

    def __init__(self, consumers: Mapping[str, Consumer]) -> None:
        self._consumers = consumers
        self._renewing: dict[str, asyncio.Task[Tokens]] = {}

    @property
    def routes(self) -> list[BaseRoute]:
        """The routes of the logins."""
        return [
            Route(f"{OAUTH_PATH}/{{wiki_id}}/login", self.login),
            Route(f"{OAUTH_PATH}/{{wiki_id}}/callback", self.callback),
            Route(f"{OAUTH_PATH}/{{wiki_id}}/logout", self.logout, methods=["POST"]),
        ]

    def doors(self, request: Request) -> list[Door]:
        """Return where a reader can log in, or has."""
        doors = []
        for wiki_id, consumer in sorted(self._consumers.items()):
            login = self.of(request, wiki_id)
            user, csrf = (login.user, self.csrf(wiki_id, login)) if login else ("", "")
            doors.append(Door(wiki_id, consumer.site.name, user, csrf))
        return doors

    async def login(self, request: Request) -> Response:
        """Lead to the wiki, which asks the user."""
        wiki_id, consumer = self._consumer(request)
        back = parse_filters(parse_qsl(request.query_params.get("back", "")))[0].query
        own = f"{request.base_url}{_path(wiki_id)[1:]}/callback"
        url, asking = consumer.ask(consumer.block.callback_url or own, back)
        answer = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
        sealed = _seal(wiki_id, consumer).close(asking)
        _put(answer, request, _ASKING, sealed, path=_path(wiki_id), max_age=_ASKING_SECONDS)
        return answer

    async def callback(self, request: Request) -> Response:
        """Take the user back from the wiki."""
        wiki_id, consumer = self._consumer(request)
        seal = _seal(wiki_id, consumer)
        asking = seal.open(request.cookies.get(_ASKING, ""), Asking, _ASKING_SECONDS)
        given = request.query_params
        if asking is None or not hmac.compare_digest(
            asking.state.encode(), given.get("state", "").encode()
        ):
            raise HTTPException(400)
        answer = RedirectResponse(
            f"{PATH}?{asking.back}" if asking.back else PATH, 303, {"Cache-Control": "no-store"}
        )
        answer.delete_cookie(_ASKING, _path(wiki_id))
        if "code" not in given:
            return answer
        try:
            tokens = await consumer.redeem(asking, given["code"])
            user = await Patroller(consumer.api_url, consumer.client, tokens.access).name()
        except WikiError as error:
            _log.warning("login_failed", wiki_id=wiki_id, error=str(error))
            raise HTTPException(502) from error
        self.remember(answer, request, wiki_id, Login(user, tokens, token_hex(16)))
        return answer

    async def logout(self, request: Request) -> Response:
        """Forget the tokens."""
        wiki_id, _ = self._consumer(request)
        form = await read_form(request)
        login = self.of(request, wiki_id)
        if login is not None and not self.is_meant(request, wiki_id, login, form):
            raise HTTPException(403)
        answer = RedirectResponse(PATH, 303, {"Cache-Control": "no-store"})
        self.forget(answer, wiki_id)
        return answer

    def of(self, request: Request, wiki_id: str) -> Login | None:
        """Return who is logged in to a wiki, None where nobody is."""
        consumer = self._consumers.get(wiki_id)
        if consumer is None:
            return None
        text = request.cookies.get(_cookie(wiki_id), "")
        return _seal(wiki_id, consumer).open(text, Login, LOGIN_SECONDS) if text else None

    def csrf(self, wiki_id: str, login: Login) -> str:
        """Return what a form of this login carries, which no other site can know."""
        secret = self._consumers[wiki_id].block.client_secret
        return hmac.new(secret.encode(), login.secret.encode(), sha256).hexdigest()[:32]

    def is_meant(
        self, request: Request, wiki_id: str, login: Login, form: Mapping[str, str]
    ) -> bool:
        """Tell whether a form comes from a page of ours that this user has seen."""
        sent, own = form.get("csrf", ""), self.csrf(wiki_id, login)
        return not is_from_elsewhere(request) and hmac.compare_digest(sent.encode(), own.encode())

    async def patroller(self, wiki_id: str, login: Login, lang: str) -> tuple[Patroller, Login]:
        """Return what acts for a user, and the login to remember. Raises WikiError.

        `lang` is the language in which the wiki says what it refuses.
        """
        consumer = self._consumers[wiki_id]
        if login.tokens.expires - time.time() < _RENEW_SECONDS:
            if login.tokens.refresh is None:
                raise WikiRefusedError("the login has ended", NO_TOKEN)
            tokens = await self._renewed(consumer, login.tokens.refresh)
            login = replace(login, tokens=tokens)
        patroller = Patroller(consumer.api_url, consumer.client, login.tokens.access, lang)
        return patroller, login

    async def _renewed(self, consumer: Consumer, refresh: str) -> Tokens:
        """Renew tokens once, for all that ask with the same one at about the same time.

        A refresh token works once; another tab may have sent it too, and an answer may be lost.
        """
        task = self._renewing.get(refresh)
        if task is None:
            task = self._renewing[refresh] = asyncio.ensure_future(consumer.renew(refresh))
            task.add_done_callback(lambda done: self._end_renewing(refresh, done))
        return await asyncio.shield(task)

    def _end_renewing(self, refresh: str, task: asyncio.Future[Tokens]) -> None:
        is_good = not task.cancelled() and task.exception() is None
        later = asyncio.get_running_loop().call_later
        later(_SHARED_SECONDS if is_good else 0, self._renewing.pop, refresh, None)

    def remember(self, answer: Response, request: Request, wiki_id: str, login: Login) -> None:
        """Put a login into an answer's cookie."""
        sealed = _seal(wiki_id, self._consumers[wiki_id]).close(login)
        _put(answer, request, _cookie(wiki_id), sealed, max_age=LOGIN_SECONDS)

    def forget(self, answer: Response, wiki_id: str) -> None:
        """Take a login out of the browser."""
        answer.delete_cookie(_cookie(wiki_id))

    def _consumer(self, request: Request) -> tuple[str, Consumer]:
        wiki_id: str = request.path_params["wiki_id"]
        if wiki_id not in self._consumers:
            raise HTTPException(404)
        return wiki_id, self._consumers[wiki_id]


def _seal(wiki_id: str, consumer: Consumer) -> Seal:
    return _sealed_by(consumer.block.client_secret, wiki_id)


@cache
def _sealed_by(secret: str, wiki_id: str) -> Seal:
    return Seal(secret, f"login {wiki_id}")


def _cookie(wiki_id: str) -> str:
    return f"revq_login_{sha256(wiki_id.encode()).hexdigest()[:12]}"


def _path(wiki_id: str) -> str:
    return f"{OAUTH_PATH}/{quote(wiki_id, safe='')}"


def _put(answer: Response, request: Request, name: str, value: str, **where: Any) -> None:
    """Set a cookie that no script reads and no other site sends along with a form."""
    is_secure = request.url.scheme == "https"
    answer.set_cookie(name, value, httponly=True, samesite="lax", secure=is_secure, **where)
