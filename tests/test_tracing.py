"""Spans for who asks for them; nothing is imported for who does not."""

import subprocess
import sys

import httpx
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.contextvars import get_contextvars

from revision_quality.tracing import NO_TRACE, open_trace
from revision_quality.web.requests_named import RequestsNamed

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_without_an_endpoint_nothing_is_traced_or_imported():
    code = (
        "import sys; from revision_quality.tracing import NO_TRACE, open_trace;"
        "assert open_trace(None, 1.0, '') is NO_TRACE; import revision_quality.cli.service;"
        "print(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"


def test_spans_within_spans_are_sent():
    exporter = InMemorySpanExporter()
    trace = open_trace(None, 1.0, "score", exporter)
    with trace.span("score", {"revq.wiki_id": "enwiki"}), trace.span("publish", {"revq.events": 3}):
        pass
    trace.close()

    inner, outer = exporter.get_finished_spans()
    assert (outer.name, inner.name) == ("score", "publish")
    assert inner.parent.span_id == outer.context.span_id
    assert inner.attributes["revq.events"] == 3
    assert outer.resource.attributes["revq.roles"] == "score"


def client(trace=NO_TRACE):
    async def answer(request):
        return PlainTextResponse(get_contextvars()["request_id"])

    app = RequestsNamed(Starlette(routes=[Route("/", answer)]), trace)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://revq")


async def test_a_request_is_served_in_the_span_of_who_sent_it():
    exporter = InMemorySpanExporter()
    trace = open_trace(None, 1.0, "serve", exporter)
    async with client(trace) as asking:
        answer = await asking.get("/", headers={"traceparent": PARENT, "X-Request-Id": "abc"})
    trace.close()

    (span,) = exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}" in PARENT
    assert span.attributes["revq.request_id"] == "abc"
    assert answer.text == answer.headers["x-request-id"] == "abc"


async def test_a_request_without_a_sane_id_gets_one():
    async with client() as asking:
        given = await asking.get("/")
        insane = await asking.get("/", headers={"X-Request-Id": "x" * 200})

    assert len(given.text) == len(insane.text) == 36
    assert given.text != insane.text
