"""The Action API of one wiki: polite, patient requests."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpx
import msgspec
import stamina

from revision_quality import __version__
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import NotAWikiError, WikiRefusedError, WikiUnavailableError

USER_AGENT = f"revision-quality/{__version__} (revq; reads recent changes to score them)"

MAXLAG_SECONDS = 5
"""A wiki whose replicas lag more asks us to wait: www.mediawiki.org, Manual:Maxlag parameter."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""MediaWiki bounds an answer to 8 MB of data ($wgAPIMaxResultSize) before escaping."""

_TEMPORARY_CODES = ("maxlag", "ratelimited", "readonly", "internal_api_error")
_LONGEST_URL_QUERY = 2000
_PATIENCE_SECONDS = 30.0

Answer = dict[str, Any]


class ActionApi:
    """Asks one wiki, at most `slots` requests at a time, each retried up to `attempts` times.

    `client` is the one seam to the network. Raises WikiUnavailableError (temporary, the retries
    are used up or the wiki asks to wait longer than 30 seconds), WikiRefusedError (an API error)
    or NotAWikiError (what answers is no Action API).
    """

    def __init__(
        self,
        api_url: str,
        client: httpx.AsyncClient,
        *,
        slots: int = 2,
        attempts: int = 4,
        access_token: str | None = None,
        clock: Clock = system_clock,
    ) -> None:
        self.api_url = api_url
        self._client = client
        self._slots = asyncio.Semaphore(slots)
        self._attempts = attempts
        self._clock = clock
        self._headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if access_token:
            self._headers["Authorization"] = f"Bearer {access_token}"

    async def get(self, **parameters: object) -> Answer:
        """Make one request; a parameter that is a list is joined with `|`, None is left out."""
        data = _encode(parameters)
        async for attempt in stamina.retry_context(
            on=_pause, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=10.0
        ):
            with attempt:
                async with self._slots:
                    return await self._ask(data)
        raise AssertionError("stamina ends with a result or an exception")

    async def query(self, **parameters: object) -> AsyncIterator[Answer]:
        """Make a query and those that continue it; yields each answer."""
        more: Mapping[str, object] = {}
        while True:
            answer = await self.get(action="query", **{**parameters, **more})
            yield answer
            if "continue" not in answer:
                return
            more = answer["continue"]

    async def _ask(self, data: dict[str, str]) -> Answer:
        status, headers, body = await self._send(data)
        if status == 429 or status >= 500:
            raise WikiUnavailableError(
                f"{self.api_url} answers HTTP {status}", self._retry_after(headers)
            )
        if status != 200:
            raise NotAWikiError(
                f"{self.api_url} answers HTTP {status}: give the address of the wiki's api.php,"
                " as Special:Version names it"
            )
        return self._read(headers, body)

    async def _send(self, data: dict[str, str]) -> tuple[int, httpx.Headers, bytes]:
        long = sum(map(len, data.values())) > _LONGEST_URL_QUERY
        request = self._client.build_request(
            "POST" if long else "GET",
            self.api_url,
            params=None if long else data,
            data=data if long else None,
            headers=self._headers,
        )
        try:
            response = await self._client.send(request, stream=True, follow_redirects=True)
            try:
                body = await _bounded(response)
            finally:
                await response.aclose()
            if response.history:
                # A redirect drops the body of a POST, so later requests go where this one ended.
                self.api_url = str(response.url.copy_with(query=None))
        except httpx.TimeoutException as error:
            raise WikiUnavailableError(f"{self.api_url} does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WikiUnavailableError(f"{self.api_url} cannot be reached: {error}") from error
        return response.status_code, response.headers, body

    def _read(self, headers: httpx.Headers, body: bytes) -> Answer:
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not headers.get("content-type", "").startswith("application/json"):
                raise NotAWikiError(
                    f"{self.api_url} does not answer as a MediaWiki API but with"
                    f" {headers.get('content-type') or 'no content type'}: give the address of the"
                    " wiki's api.php, as Special:Version names it"
                ) from error
            raise WikiUnavailableError(f"{self.api_url} sent a broken answer: {error}") from error
        if not isinstance(answer, dict):
            raise NotAWikiError(f"{self.api_url} answers JSON, but not as a MediaWiki API does")
        if "error" in answer:
            self._refuse(answer["error"], headers)
        return answer

    def _refuse(self, error: object, headers: httpx.Headers) -> None:
        code, info = "unknown", str(error)
        if isinstance(error, dict):
            code, info = str(error.get("code", code)), str(error.get("info", info))
        message = f"{self.api_url} answers {code}: {info}"
        if code.startswith(_TEMPORARY_CODES):
            raise WikiUnavailableError(message, self._retry_after(headers))
        raise WikiRefusedError(message, code)

    def _retry_after(self, headers: httpx.Headers) -> float | None:
        """Read Retry-After, seconds or a date (RFC 9110, section 10.2.3)."""
        value = headers.get("retry-after", "").strip()
        if value.isdecimal():
            return float(value)
        try:
            moment: datetime = parsedate_to_datetime(value)
            return max(0.0, (moment - self._clock.now()).total_seconds())
        except (TypeError, ValueError):
            return None


def _pause(error: Exception) -> bool | float:
    """Tell stamina whether to try again: after its own pause, or after the wiki's."""
    if not isinstance(error, WikiUnavailableError):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= _PATIENCE_SECONDS else False


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_ANSWER_BYTES:
            raise WikiUnavailableError(
                f"{response.url} sent more than {MAX_ANSWER_BYTES} bytes in one answer"
            )
    return bytes(body)


def _encode(parameters: Mapping[str, object]) -> dict[str, str]:
    """Write parameters as MediaWiki wants them; a value that holds `|` gets the U+001F form."""
    data = {"format": "json", "formatversion": "2", "maxlag": str(MAXLAG_SECONDS)}
    for name, value in parameters.items():
        if value is None or value is False:
            continue
        if isinstance(value, list | tuple):
            data[name] = _multiple([str(item) for item in value])
        else:
            data[name] = "1" if value is True else str(value)
    return data


def _multiple(values: list[str]) -> str:
    if any("|" in value for value in values):
        return "\x1f" + "\x1f".join(values)
    return "|".join(values)
