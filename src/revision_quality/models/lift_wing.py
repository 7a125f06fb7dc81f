"""A model on another server: Lift Wing, or any that speaks its revert risk protocol."""

import asyncio
from collections.abc import Mapping, Sequence

import httpx
import msgspec
import stamina
from msgspec import Struct

from revision_quality import __version__
from revision_quality.clock import system_clock
from revision_quality.errors import InvalidRevisionError, ModelError, ModelUnavailableError
from revision_quality.models import lift_wing_protocol as protocol
from revision_quality.models.base import Prediction, Unscored
from revision_quality.retry_after import retry_after
from revision_quality.wiki.revision import Revision

TIMEOUT_SECONDS = 35.0
"""Longer than the 30 seconds after which Wikimedia's gateway answers 504."""

SLOTS, ATTEMPTS = 4, 4
UNKNOWN_VERSION = "unknown"

_PATIENCE_SECONDS = 30.0
_USER_AGENT = f"revision-quality/{__version__} (revq; asks for revert risk)"

_Outcome = Prediction | Unscored


class _UnavailableError(ModelError):
    """The server cannot be had: asking again later may work."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class _FailedError(ModelError):
    """The server answers 500: it may fail on one revision and answer for others."""


class _RefusedError(ModelError):
    """The server says no to these revisions, for good."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Ask(Struct, frozen=True):
    """One request: for the revisions at `places`, in the language `lang`."""

    lang: str
    places: list[int]


class LiftWing:
    """Asks `url` for the scores of the model `name`, up to `batch` revisions in one request.

    `url` is what comes before `/v1/models/`; `client` is the one seam to the network, shared and
    closed by the caller. `host` replaces the Host header (Lift Wing's internal address tells its
    models apart by it). `version` names the scores; without it the version is learnt from the
    answers, and is `unknown` before the first. With `version` given, an answer of another version
    is not taken.

    `sends_text` sends whole revisions (`revision_data`), one in a request, to servers that allow
    it: they need not be able to read the wiki. `lang` is then what to say for wikis that are no
    open Wikipedia; without it those are not scored.

    `langs` says by wiki_id what a server calls wikis that are no open Wikipedias, where it can read
    them, as another instance of this service does.

    500, 502, 503, 504, 429 and network errors are tried up to `attempts` times, with a growing
    pause or the one that Retry-After names (30 seconds at most). 400 and 422 are final.
    """

    def __init__(
        self,
        url: str,
        name: str,
        client: httpx.AsyncClient,
        *,
        host: str | None = None,
        version: str | None = None,
        access_token: str | None = None,
        sends_text: bool = False,
        lang: str | None = None,
        langs: Mapping[str, str] = {},
        batch: int = protocol.BATCH,
        timeout: float = TIMEOUT_SECONDS,
        attempts: int = ATTEMPTS,
        slots: int = SLOTS,
    ) -> None:
        self._url = f"{url.rstrip('/')}/v1/models/{name}:predict"
        self._name = name
        self._client = client
        self._pinned = version
        self._learnt = UNKNOWN_VERSION
        self._sends_text = sends_text
        self._lang = lang
        self._langs = langs
        self._batch = 1 if sends_text else min(batch, protocol.BATCH)
        self._timeout = timeout
        self._attempts = attempts
        self._slots = asyncio.Semaphore(slots)
        self._headers = {"Content-Type": "application/json", "User-Agent": _USER_AGENT}
        if host:
            self._headers["Host"] = host
        if access_token:
            self._headers["Authorization"] = f"Bearer {access_token}"

    @property
    def name(self) -> str:
        """The model's name on the server."""
        return self._name

    @property
    def version(self) -> str:
        """The version given, else that of the last answer, else `unknown`."""
        return self._pinned or self._learnt

    async def predict(self, revisions: Sequence[Revision]) -> list[_Outcome]:
        """Ask for the scores of `revisions`: one answer each, in their order.

        Raises ModelUnavailableError if no request of the batch got an answer that can be used.
        """
        outcomes: dict[int, _Outcome] = {}
        asks: list[_Ask] = []
        for lang, places in self._by_lang(revisions, outcomes).items():
            chunks = range(0, len(places), self._batch)
            asks += [_Ask(lang, places[start : start + self._batch]) for start in chunks]
        answers = await asyncio.gather(*(self._try(ask, revisions) for ask in asks))
        errors = [answer for answer in answers if isinstance(answer, ModelError)]
        if errors and len(errors) == len(answers):
            raise ModelUnavailableError(str(errors[0])) from errors[0]
        for ask, answer in zip(asks, answers, strict=True):
            if isinstance(answer, ModelError):
                missing = Unscored("server_unavailable", str(answer))
                outcomes |= dict.fromkeys(ask.places, missing)
            else:
                outcomes |= zip(ask.places, answer, strict=True)
        return [outcomes[place] for place in range(len(revisions))]

    def _by_lang(
        self, revisions: Sequence[Revision], outcomes: dict[int, _Outcome]
    ) -> dict[str, list[int]]:
        """Group what can be asked for by language; the rest gets its outcome at once."""
        places: dict[str, list[int]] = {}
        for place, revision in enumerate(revisions):
            lang = self._lang_of(revision.wiki_id)
            if lang is None:
                outcomes[place] = _unknown_wiki(revision.wiki_id, self._sends_text)
            elif revision.rev_id is None and not self._sends_text:
                message = "The server reads revisions by their number; this one has none."
                outcomes[place] = Unscored("revision_missing", message, is_final=True)
            else:
                places.setdefault(lang, []).append(place)
        return places

    def _lang_of(self, wiki_id: str) -> str | None:
        known = self._langs.get(wiki_id) or protocol.lang_of(wiki_id)
        return known or (self._lang if self._sends_text else None)

    async def _try(self, ask: _Ask, revisions: Sequence[Revision]) -> list[_Outcome] | ModelError:
        try:
            return await self._ask(ask.lang, [revisions[place] for place in ask.places])
        except ModelError as error:
            return error

    async def _ask(self, lang: str, revisions: Sequence[Revision]) -> list[_Outcome]:
        try:
            request = self._request(lang, revisions)
        except InvalidRevisionError as error:
            return [Unscored("missing_field", str(error), is_final=True)]
        try:
            answer = await self._answer(request)
        except _RefusedError as error:
            refusal = protocol.refusal(error.status, error.message)
            if len(revisions) == 1 or protocol.concerns_all(error.message):
                return [refusal] * len(revisions)
            return await self._one_by_one(lang, revisions)
        except _FailedError as error:
            if len(revisions) == 1:
                return [Unscored("server_error", str(error))]
            return await self._one_by_one(lang, revisions)
        return [self._outcome(answer, item, alone=len(revisions) == 1) for item in revisions]

    def _request(self, lang: str, revisions: Sequence[Revision]) -> protocol.Request:
        if self._sends_text:
            return protocol.request_with_text(revisions[0], lang)
        rev_ids = [revision.rev_id for revision in revisions if revision.rev_id is not None]
        if len(rev_ids) == 1:
            return protocol.request_one(rev_ids[0], lang)
        return protocol.request_many(list(dict.fromkeys(rev_ids)), lang)

    async def _one_by_one(self, lang: str, revisions: Sequence[Revision]) -> list[_Outcome]:
        """Tell the revisions of a failed batch apart."""
        answers = await asyncio.gather(
            *(self._ask(lang, [revision]) for revision in revisions), return_exceptions=True
        )
        outcomes: list[_Outcome] = []
        for answer in answers:
            if isinstance(answer, ModelError):
                outcomes.append(Unscored("server_unavailable", str(answer)))
            elif isinstance(answer, BaseException):
                raise answer
            else:
                outcomes += answer
        return outcomes

    def _outcome(self, answer: protocol.Answer, revision: Revision, *, alone: bool) -> _Outcome:
        if answer.version is not None:
            if self._pinned and answer.version != self._pinned:
                return Unscored(
                    "model_version_changed",
                    f"{self._url} answers with version {answer.version}, the setting says"
                    f" {self._pinned}: change model.version to score with it.",
                )
            self._learnt = answer.version
        outcomes = answer.outcomes
        if alone and len(outcomes) == 1:
            # A request with texts is answered with the revision_id -1.
            return next(iter(outcomes.values()))
        missing = Unscored("no_answer", f"{self._url} left revision {revision.rev_id} out.")
        return outcomes.get(str(revision.rev_id), missing)

    async def _answer(self, request: protocol.Request) -> protocol.Answer:
        body = msgspec.json.encode(request)
        async for attempt in stamina.retry_context(
            on=_pause, attempts=self._attempts, timeout=None, wait_initial=0.5, wait_max=10.0
        ):
            with attempt:
                async with self._slots:
                    return self._read(await self._post(body))
        raise AssertionError("stamina ends with a result or an exception")

    async def _post(self, body: bytes) -> httpx.Response:
        try:
            return await self._client.post(
                self._url, content=body, headers=self._headers, timeout=self._timeout
            )
        except httpx.TimeoutException as error:
            raise _UnavailableError(
                f"{self._url} does not answer within {self._timeout:g} seconds."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _UnavailableError(f"{self._url} cannot be reached: {error}") from error

    def _read(self, response: httpx.Response) -> protocol.Answer:
        status = response.status_code
        if response.is_success:
            return self._read_answer(response)
        message = protocol.read_message(response.content)
        said = f"{self._url} answers HTTP {status}{f': {message}' if message else ''}"
        if status == 500:
            raise _FailedError(said)
        if status == 429 or status > 500:
            raise _UnavailableError(said, retry_after(response.headers, system_clock.now()))
        if status in (401, 403, 404) or not 400 <= status < 500:
            raise ModelError(f"{said}; check the model's url, name and access token.")
        raise _RefusedError(status, message)

    def _read_answer(self, response: httpx.Response) -> protocol.Answer:
        try:
            return protocol.read_answer(response.content)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"{self._url} does not answer as Lift Wing does ({error}); check the model's url"
                " and name."
            ) from error


def _unknown_wiki(wiki_id: str, sends_text: bool) -> Unscored:
    advice = "set model.lang" if sends_text else "say in model.langs what the server calls it"
    return Unscored(
        "wiki_not_supported",
        f"{wiki_id} is no open Wikipedia, the only wikis that Lift Wing knows by name; {advice}.",
        is_final=True,
    )


def _pause(error: Exception) -> bool | float:
    """Tell stamina whether to try again: after its own pause, or after the server's."""
    if isinstance(error, _FailedError):
        return True
    if not isinstance(error, _UnavailableError):
        return False
    if error.retry_after is None:
        return True
    return error.retry_after if error.retry_after <= _PATIENCE_SECONDS else False
