"""This service as an OAuth 2 client of one wiki: the code flow (RFC 6749, 4.1) with PKCE."""

import secrets
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from urllib.parse import urlencode

import httpx
import msgspec
from msgspec import Struct

from revision_quality.errors import WikiRefusedError, WikiUnavailableError
from revision_quality.oauth_block import OAuthBlock
from revision_quality.sites import Site
from revision_quality.wiki.client import USER_AGENT

NO_TOKEN = "no_token"  # noqa: S105, the code of an error

_PATIENCE_SECONDS = 20.0


class Tokens(Struct, frozen=True):
    """What a wiki gave for a user; `expires` is in Unix seconds."""

    access: str
    refresh: str | None
    expires: float


class Asking(Struct, frozen=True):
    """A login under way: what must come back, what proves that it is ours, and where it began."""

    state: str
    code_verifier: str
    callback_url: str
    back: str


class _Given(Struct):
    """The wiki's answer (RFC 6749, 5.1)."""

    access_token: str
    refresh_token: str | None = None
    expires_in: float = 3600


class Consumer:
    """Leads users to the wiki's extension OAuth and gets their tokens.

    `site` says how browsers reach the wiki, `api_url` where `client` asks it.
    """

    def __init__(
        self, block: OAuthBlock, site: Site, api_url: str, client: httpx.AsyncClient
    ) -> None:
        self.block = block
        self.site = site
        self.api_url = api_url
        self.client = client

    def ask(self, callback_url: str, back: str) -> tuple[str, Asking]:
        """Return the address at which the user consents, and what to remember meanwhile."""
        asking = Asking(secrets.token_urlsafe(24), secrets.token_urlsafe(48), callback_url, back)
        digest = sha256(asking.code_verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": self.block.client_id,
            "redirect_uri": callback_url,
            "state": asking.state,
            "code_challenge": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        server = self.site.server
        rest = f"{'https:' if server.startswith('//') else ''}{server}{self.site.script_path}"
        return f"{rest}/rest.php/oauth2/authorize?{urlencode(query)}", asking

    async def redeem(self, asking: Asking, code: str) -> Tokens:
        """Return the tokens for the code that the wiki sent back. Raises WikiError."""
        return await self._tokens(
            grant_type="authorization_code",
            code=code,
            redirect_uri=asking.callback_url,
            code_verifier=asking.code_verifier,
        )

    async def renew(self, refresh: str) -> Tokens:
        """Return new tokens for a refresh token, which works once. Raises WikiError."""
        return await self._tokens(grant_type="refresh_token", refresh_token=refresh)

    async def _tokens(self, **grant: str) -> Tokens:
        url = f"{self.api_url.removesuffix('/api.php')}/rest.php/oauth2/access_token"
        own = {"client_id": self.block.client_id, "client_secret": self.block.client_secret}
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        try:
            answer = await self.client.post(
                url, data=grant | own, headers=headers, timeout=_PATIENCE_SECONDS
            )
        except httpx.HTTPError as error:
            reason = str(error) or type(error).__name__
            raise WikiUnavailableError(f"{url} cannot be reached: {reason}") from error
        if answer.status_code >= 500:
            raise WikiUnavailableError(f"{url} answers HTTP {answer.status_code}")
        try:
            given = msgspec.json.decode(answer.content, type=_Given)
        except msgspec.DecodeError as error:
            raise WikiRefusedError(
                f"{url} answers HTTP {answer.status_code} and no token: are client_id,"
                " client_secret and callback_url those that the wiki has?",
                NO_TOKEN,
            ) from error
        return Tokens(given.access_token, given.refresh_token, time.time() + given.expires_in)
