"""The calls of EventGate and EventStreams, for the API's document."""

from typing import Any

from msgspec import Struct

from revision_quality.web.json_answers import Problem
from revision_quality.web.operation import Content, Operation, Parameter, Reply


class FailedEvent(Struct, frozen=True):
    """An event that was not accepted; `context` has `message`, and `errors` of its schema."""

    status: str
    event: Any
    context: dict[str, Any]


class FailedEvents(Struct, frozen=True):
    """Invalid events, which sending again will not help, and those that met an error."""

    invalid: tuple[FailedEvent, ...] = ()
    error: tuple[FailedEvent, ...] = ()


_FAILED = Content(kinds=(FailedEvents,))
_PROBLEM = Content(kinds=(Problem,), media_type="application/problem+json")
_EVENTS = Content(kinds=(str,), media_type="text/event-stream")
_EVENT = {
    "$schema": "/mediawiki/revision/tags-change/1.0.0",
    "meta": {
        "stream": "mediawiki.revision-tags-change",
        "id": "500a4469-8107-4f57-9f1c-5e54694e90a4",
    },
    "dt": "2026-11-23T03:20:56Z",
    "database": "my_wiki",
    "page_id": 4,
    "page_title": "Example",
    "page_namespace": 0,
    "rev_id": 11,
    "rev_timestamp": "2026-11-23T03:20:56Z",
    "tags": ["mw-manual-revert"],
}

EVENT_GATE = (
    Operation(
        id="post_events",
        method="POST",
        path="/v1/events",
        tag="EventGate",
        summary="Post one event or an array of events",
        description="What is accepted is durable. Events of other kinds that MediaWiki's EventBus"
        " sends to the same address are accepted and not kept.",
        parameters=(
            Parameter(
                name="hasty",
                place="query",
                description="Answer 202 whatever becomes of the events.",
                example="true",
            ),
        ),
        body=Content(examples={"event": _EVENT}),
        replies={
            201: Reply("All were accepted."),
            202: Reply("They were received, hastily."),
            207: Reply("Some were accepted; the others are named.", _FAILED),
            400: Reply("All are invalid, or the body is no JSON.", _FAILED),
            403: Reply("A web page sent it.", _PROBLEM),
            408: Reply("The body did not arrive in time.", _PROBLEM),
            413: Reply("The body is larger than 10 MB, or has over 10,000 events.", _PROBLEM),
            500: Reply("None was accepted, and not all are invalid.", _FAILED),
        },
    ),
    Operation(
        id="test_events",
        method="GET",
        path="/v1/_test/events",
        tag="EventGate",
        summary="Tell whether events can be stored",
        replies={201: Reply("They can."), 500: Reply("They cannot.", _PROBLEM)},
    ),
)

EVENT_STREAMS = (
    Operation(
        id="stream_events",
        method="GET",
        path="/v2/stream/{streams}",
        tag="EventStreams",
        summary="Follow streams",
        description="Server-sent events, or one JSON object a line where the Accept header asks"
        " for application/json. Last-Event-ID resumes.",
        parameters=(
            Parameter(
                name="streams",
                description="Names of streams, separated by commas.",
                example="mediawiki.page_revert_risk_prediction_change.v1",
            ),
            Parameter(
                name="since",
                place="query",
                description="Where to begin: an ISO 8601 time, or Unix milliseconds.",
                example="2026-11-23T08:00:00Z",
            ),
        ),
        replies={
            200: Reply("The events, without end.", _EVENTS),
            400: Reply("An unknown stream, or no time or position.", _PROBLEM),
            503: Reply("Too many streams are open, or they cannot be read.", _PROBLEM),
        },
    ),
)

OPERATIONS = EVENT_GATE + EVENT_STREAMS
