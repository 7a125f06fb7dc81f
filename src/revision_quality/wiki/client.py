"""The Action API of one wiki: polite, patient requests."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import stamina

from revision_quality import __version__
from revision_quality.clock import Clock, system_clock
from revision_quality.errors import NotAWikiError, WikiError, WikiRefusedError, WikiUnavailableError
from revision_quality.retry_after import retry_after
from revision_quality.tally import REQUEST_SECONDS, Tally, Timings

USER_AGENT = f"revision-quality/{__version__} (revq; reads recent changes to score them)"

MAXLAG_SECONDS = 5
"""A wiki whose replicas lag more asks us to wait: www.mediawiki.org, Manual:Maxlag parameter."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024
"""MediaWiki bounds an answer to 8 MB of data ($wgAPIMaxResultSize) before escaping."""

_TEMPORARY_CODES = ("maxlag", "ratelimited", "readonly", "internal_api_error")
_LONGEST_URL_QUERY = 2000
_PATIENCE_SECONDS = 30.0
_ANSWER_SECONDS = 60.0
"""For a whole answer: a client's own timeouts begin again with every byte."""

_OUTCOMES: dict[type[WikiError], str] = {
    WikiUnavailableError: "unavailable",
    WikiRefusedError: "refused",
    NotAWikiError: "not_a_wiki",
}

Answer = dict[str, Any]


class ActionApi:
    """Asks one wiki, at most `slots` requests at a time, each retried up to `attempts` times.

    `client` is the one seam to the network. Raises WikiUnavailableError (temporary, the retries
    are used up or the wiki asks to wait longer than 30 seconds), WikiRefusedError (an API error)
    or NotAWikiError (what answers is no Action API). What has answered as an Action API once is
    one: where something else answers later, such as a proxy's page, that is temporary.
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
        self.api_url = self._given = api_url
        self._client = client
        self._slots = asyncio.Semaphore(slots)
        self._attempts = attempts
        self._clock = clock
        self.has_answered = False
        """Whether it has been an Action API once; who knows that from before may say so."""
        self._access_token = access_token
        given = _origin(api_url)
        self._trusted = {given, given.copy_with(scheme="https", port=None)}
        self.requests = Tally()
        """Requests by what came of them: answered, unavailable, refused, not_a_wiki."""
        self.seconds = Timings(REQUEST_SECONDS)
        """How long they took, their bodies read."""
        self.retries = 0

    async def get(self, **parameters: object) -> Answer:
        """Make one request; a parameter that is a list is joined with `|`, None is left out."""
        data = _encode(parameters)
        async for attempt in stamina.retry_context(
            on=_pause, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=10.0
        ):
            self.retries += attempt.num > 1
            with attempt:
                async with self._slots:
                    return await self._timed(data)
        raise AssertionError("stamina ends with a result or an exception")

    async def _timed(self, data: dict[str, str], *, writes: bool = False) -> Answer:
        begun, outcome = time.perf_counter(), "cancelled"
        try:
            answer = await self._ask(data, writes)
            outcome = "answered"
        except WikiError as error:
            outcome = _OUTCOMES[type(error)]
            if isinstance(error, WikiUnavailableError):
                # Where it was redirected to may have been for a while.
                self.api_url = self._given
            raise
        else:
            return answer
        finally:
            self.requests.add(outcome)
            self.seconds.observe(time.perf_counter() - begun)

    async def post(self, **parameters: object) -> Answer:
        """Make one request that writes: never twice, and not put off for lagging replicas."""
        data = _encode(parameters)
        del data["maxlag"]
        async with self._slots:
            return await self._timed(data, writes=True)

    async def query(self, **parameters: object) -> AsyncIterator[Answer]:
        """Make a query and those that continue it; yields each answer."""
        more: Mapping[str, object] = {}
        while True:
            answer = await self.get(action="query", **{**parameters, **more})
            yield answer
            if "continue" not in answer:
                return
            more = answer["continue"]

    async def _ask(self, data: dict[str, str], writes: bool) -> Answer:
        response, body = await self._send(data, writes)
        status, headers = response.status_code, response.headers
        if status == 429 or status >= 500:
            raise WikiUnavailableError(
                f"{self.api_url} answers HTTP {status}", self._retry_after(headers)
            )
        if status != 200:
            raise self._no_api(f"{self.api_url} answers HTTP {status}")
        answer = self._read(headers, body)
        self.has_answered = True
        if response.history:
            # A redirect drops the body of a POST, so later requests go where this one ended.
            self.api_url = str(response.url.copy_with(query=None))
        return answer

    async def _send(self, data: dict[str, str], writes: bool) -> tuple[httpx.Response, bytes]:
        long = writes or len(urlencode(data)) > _LONGEST_URL_QUERY
        try:
            request = self._client.build_request(
                "POST" if long else "GET",
                self.api_url,
                params=None if long else data,
                data=data if long else None,
                headers=self._headers(),
            )
            async with asyncio.timeout(_ANSWER_SECONDS):
                response = await self._client.send(request, stream=True, follow_redirects=True)
                try:
                    body = await _bounded(response)
                finally:
                    await response.aclose()
        except (httpx.TimeoutException, TimeoutError) as error:
            raise WikiUnavailableError(f"{self.api_url} does not answer in time") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise WikiUnavailableError(f"{self.api_url} cannot be reached: {reason}") from error
        return response, body

    def _headers(self) -> dict[str, str]:
        """Return the headers of a request.

        The access token is for the configured server alone, and for its HTTPS where it has moved.
        """
        headers = {"User-Agent": USER_AGENT, "Accept": "application/json"}
        if self._access_token and _origin(self.api_url) in self._trusted:
            headers["Authorization"] = f"Bearer {self._access_token}"
        return headers

    def _read(self, headers: httpx.Headers, body: bytes) -> Answer:
        try:
            answer = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if not headers.get("content-type", "").startswith("application/json"):
                kind = headers.get("content-type") or "no content type"
                raise self._no_api(
                    f"{self.api_url} does not answer as a MediaWiki API but with {kind}"
                ) from error
            raise WikiUnavailableError(f"{self.api_url} sent a broken answer: {error}") from error
        if not isinstance(answer, dict):
            raise NotAWikiError(f"{self.api_url} answers JSON, but not as a MediaWiki API does")
        if "error" in answer:
            self._refuse(answer["error"], headers)
        if "errors" in answer:
            # Any `errorformat` but the default one has a list.
            several = answer["errors"]
            self._refuse(several[0] if isinstance(several, list) and several else several, headers)
        return answer

    def _no_api(self, message: str) -> NotAWikiError | WikiUnavailableError:
        if self.has_answered:
            return WikiUnavailableError(message)
        return NotAWikiError(
            f"{message}: give the address of the wiki's api.php, as Special:Version names it"
        )

    def _refuse(self, error: object, headers: httpx.Headers) -> None:
        code, info = "unknown", str(error)
        if isinstance(error, dict):
            told = error.get("info", error.get("text", info))
            code, info = str(error.get("code", code)), str(told)
        message = f"{self.api_url} answers {code}: {info}"
        if code.startswith(_TEMPORARY_CODES):
            pause = self._retry_after(headers)
            raise WikiUnavailableError(message, pause, code=code, info=info)
        raise WikiRefusedError(message, code, info)

    def _retry_after(self, headers: httpx.Headers) -> float | None:
        return retry_after(headers, self._clock.now())


@contextmanager
def reading(api_url: str, what: str) -> Iterator[None]:
    """Raise NotAWikiError where an answer has not the shape that the block expects of `what`."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise NotAWikiError(
            f"{api_url} answers, but its {what} are not as MediaWiki has them ({error!r}):"
            " is it a MediaWiki API?"
        ) from error


def _origin(url: str) -> httpx.URL:
    parts = httpx.URL(url)
    return httpx.URL(scheme=parts.scheme, host=parts.host, port=parts.port)


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
