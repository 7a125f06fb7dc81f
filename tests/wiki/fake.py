"""An Action API made of a function, and the answers of a real MediaWiki."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from revision_quality.clock import Clock
from revision_quality.wiki.client import ActionApi
from tests.fakes import FakeClock

URL = "https://wiki.example/w/api.php"
FIXTURES = Path(__file__).parent / "fixtures"

Handler = Callable[[httpx.Request], httpx.Response]


def fixture(name: str) -> Any:
    return json.loads((FIXTURES / f"{name}.json").read_text("utf-8"))


def response(exchange: dict[str, Any]) -> httpx.Response:
    """The response that was recorded."""
    body = exchange["body"]
    text = body if isinstance(body, str) else json.dumps(body)
    return httpx.Response(exchange["status"], headers=exchange["headers"], text=text)


def parameters(request: httpx.Request) -> dict[str, str]:
    """What a request asks, wherever it says so."""
    if request.method == "POST":
        return dict(httpx.QueryParams(request.content.decode()))
    return dict(request.url.params)


class FakeApi:
    """Answers requests by `handler`, or from a list, and keeps the requests."""

    def __init__(self, *answers: Any, handler: Handler | None = None) -> None:
        self._answers = list(answers)
        self._handler = handler
        self.requests: list[httpx.Request] = []

    @property
    def asked(self) -> list[dict[str, str]]:
        return [parameters(request) for request in self.requests]

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._handler:
            return self._handler(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json=answer)

    def api(self, clock: Clock | None = None, url: str = URL, **options: Any) -> ActionApi:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self.answer))
        return ActionApi(url, client, clock=clock or FakeClock(), **options)


def kept(responses: Sequence[httpx.Response]) -> Handler:
    """A handler that gives these responses one after the other."""
    left = iter(responses)
    return lambda _: next(left)
