"""The endpoints of MediaWiki's extension OAuth (OAuth 2), in front of a wiki's Action API.

The extension is in no package registry. Its contract here is that of its documentation: the code
flow with PKCE, confidential clients, codes and refresh tokens that work once. A bearer of a token
acts as a user who has logged in to the wiki behind.
"""

import base64
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT_ID, CLIENT_SECRET = (
    "0123456789abcdef0123456789abcdef",
    "a-secret-of-forty-characters-0123456789",
)
TOKEN_SECONDS = 14_400

Api = Callable[[str | None, dict[str, str]], Awaitable[Response]]
"""Answers a request to api.php, of a user or (None) of nobody who is known."""


class OAuthWiki:
    """A wiki that `user` has an account on, and consents at once; `callback_url` is registered."""

    def __init__(self, api: Api, user: str, callback_url: str) -> None:
        self.user = user
        self.callback_url = callback_url
        self.refuses = False
        self.lives = TOKEN_SECONDS
        self.valid: set[str] = set()
        self.app = Starlette(
            routes=[
                Route("/w/rest.php/oauth2/authorize", self._authorize),
                Route("/w/rest.php/oauth2/access_token", self._token, methods=["POST"]),
                Route("/w/api.php", self._api, methods=["GET", "POST"]),
            ]
        )
        self._asked = api
        self._codes: dict[str, str] = {}
        self._refresh: set[str] = set()

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        expected = {
            "response_type": "code",
            "client_id": CLIENT_ID,
            "redirect_uri": self.callback_url,
            "code_challenge_method": "S256",
        }
        wrong = [name for name, value in expected.items() if asked.get(name) != value]
        if wrong or not asked.get("state") or not asked.get("code_challenge"):
            return PlainTextResponse(f"invalid_request: {wrong}", 400)
        answer = {"state": asked["state"]}
        if self.refuses:
            answer["error"] = "access_denied"
        else:
            answer["code"] = secrets.token_hex(300)
            self._codes[answer["code"]] = asked["code_challenge"]
        return RedirectResponse(f"{self.callback_url}?{urlencode(answer)}")

    async def _token(self, request: Request) -> Response:
        form = {
            name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()
        }
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, CLIENT_SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "authorization_code":
            digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
            challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            is_good = self._codes.pop(form["code"], None) == challenge
            is_good = is_good and form.get("redirect_uri") == self.callback_url
        else:
            is_good = form.get("refresh_token") in self._refresh
            self._refresh.discard(form.get("refresh_token", ""))
        if not is_good:
            return JSONResponse({"error": "invalid_grant"}, 400)
        # As long as the JSON Web Tokens that the extension gives.
        access, refresh = secrets.token_urlsafe(700), secrets.token_urlsafe(500)
        self.valid.add(access)
        self._refresh.add(refresh)
        given = {"token_type": "Bearer", "expires_in": self.lives}
        return JSONResponse({**given, "access_token": access, "refresh_token": refresh})

    async def _api(self, request: Request) -> Response:
        asked = dict(request.query_params)
        asked |= {
            name: values[-1] for name, values in parse_qs((await request.body()).decode()).items()
        }
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = scheme == "Bearer" and token in self.valid
        if scheme and not known:
            error = {"code": "mwoauth-invalid-authorization", "info": "The token is not valid."}
            return JSONResponse({"error": error})
        return await self._asked(self.user if known else None, asked)
