"""The calls of the Recent Changes page, for the API's document."""

from revision_quality.recent_changes.filters import PARAMETERS
from revision_quality.web.changes_json import ChangesJson
from revision_quality.web.json_answers import Problem
from revision_quality.web.operation import Content, Operation, Parameter, Reply
from revision_quality.web.recent_changes import PATH

_TAG = "Recent Changes"
_FLAG = "0 or 1"


def _filters() -> tuple[Parameter, ...]:
    return tuple(
        Parameter(
            name=parameter.name,
            place="query",
            description=f"Allowed: {getattr(parameter, 'allowed', _FLAG)}.",
        )
        for parameter in PARAMETERS
    )


_HTML = Content(kinds=(str,), media_type="text/html")
_EVENTS = Content(kinds=(str,), media_type="text/event-stream")
_PROBLEM = Reply(
    "The view cannot be read.", Content(kinds=(Problem,), media_type="application/problem+json")
)
_SINCE = Parameter(
    name="since", place="query", description="The id of the last event that was seen.", kind=int
)

OPERATIONS = (
    Operation(
        id="home",
        method="GET",
        path="/",
        tag=_TAG,
        summary="Lead to the page",
        replies={307: Reply("To the page, with the same query string.")},
    ),
    Operation(
        id="recent_changes",
        method="GET",
        path=PATH,
        tag=_TAG,
        summary="Show recent changes",
        description="In JSON where the Accept header asks for it and not for HTML.",
        parameters=_filters(),
        replies={200: Reply("The page.", _HTML), 503: Reply("The view cannot be read.", _HTML)},
    ),
    Operation(
        id="recent_changes_json",
        method="GET",
        path=f"{PATH}.json",
        tag=_TAG,
        summary="List recent changes",
        description="Values that a filter does not take are told as warnings and passed over.",
        parameters=_filters(),
        replies={200: Reply("The rows.", Content(kinds=(ChangesJson,))), 503: _PROBLEM},
    ),
    Operation(
        id="recent_changes_events",
        method="GET",
        path=f"{PATH}/events",
        tag=_TAG,
        summary="Follow recent changes",
        description="Server-sent events: change, remove, summary, reset. Last-Event-ID resumes.",
        parameters=(*_filters(), _SINCE),
        replies={200: Reply("The events, without end.", _EVENTS), 503: _PROBLEM},
    ),
    Operation(
        id="health",
        method="GET",
        path="/healthz",
        tag=_TAG,
        summary="Tell whether the view can be read",
        replies={200: Reply("It can.", Content(kinds=(dict[str, int],))), 503: _PROBLEM},
    ),
)
