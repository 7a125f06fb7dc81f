"""The calls of the Recent Changes page, for the API's document."""

from revision_quality.recent_changes.filters import PARAMETERS
from revision_quality.recent_changes.presentation import PATH
from revision_quality.web.changes_json import ChangesJson
from revision_quality.web.details import CloseJson
from revision_quality.web.health import Alive
from revision_quality.web.json_answers import Problem
from revision_quality.web.operation import Content, Operation, Parameter, Reply

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
_TITLE = Parameter(
    name="title",
    description="Special:RecentChanges, or what the wiki's language calls it.",
    example="Special:RecentChanges",
)
_LED = Reply("To the page, with what the address means on the wiki.")
_NO_PAGE = Reply("Of the wiki's pages only Special:RecentChanges is here.", _HTML)
_UNREAD = Reply("The view cannot be read.", _HTML)
_NO_CHANGE = Reply("No such change is here.", _HTML)
_CHANGE = (
    Parameter(name="wiki_id", description="The wiki's database name.", example="enwiki"),
    Parameter(name="rev_id", description="The revision.", kind=int, example=12345),
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
        id="special_recent_changes",
        method="GET",
        path="/wiki/{title:path}",
        tag=_TAG,
        summary="Lead to the page, from a wiki's link with its host changed",
        parameters=(_TITLE,),
        replies={307: _LED, 404: _NO_PAGE},
    ),
    Operation(
        id="index_title_recent_changes",
        method="GET",
        path="/w/index.php/{title:path}",
        tag=_TAG,
        summary="Lead to the page, from a wiki's link without short addresses",
        parameters=(_TITLE,),
        replies={307: _LED, 404: _NO_PAGE},
    ),
    Operation(
        id="index_recent_changes",
        method="GET",
        path="/w/index.php",
        tag=_TAG,
        summary="Lead to the page, from a wiki's long link with its host changed",
        replies={307: _LED, 404: _NO_PAGE},
    ),
    Operation(
        id="preferences",
        method="POST",
        path=f"{PATH}/preferences",
        tag=_TAG,
        summary="Keep a reader's language and time zone in cookies",
        description="Of a form's fields lang and zone, for the page's own form alone.",
        body=Content(kinds=(str,), media_type="application/x-www-form-urlencoded"),
        replies={
            303: Reply("Back to the page."),
            400: Reply("The body cannot be read.", _HTML),
            403: Reply("A page of another site asks.", _HTML),
            413: Reply("The body is too large.", _HTML),
        },
    ),
    Operation(
        id="texts",
        method="GET",
        path=f"{PATH}/texts/{{lang}}.json",
        tag=_TAG,
        summary="Say what the page's scripts say in a language",
        parameters=(Parameter(name="lang", description="A language of the page.", example="he"),),
        replies={
            200: Reply("The texts.", Content(kinds=(dict[str, str],))),
            404: Reply("The page is not in this language.", _PROBLEM.content),
        },
    ),
    Operation(
        id="recent_changes",
        method="GET",
        path=PATH,
        tag=_TAG,
        summary="Show recent changes",
        description="In JSON where the Accept header asks for it and not for HTML.",
        parameters=_filters(),
        replies={200: Reply("The page.", _HTML), 503: _UNREAD},
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
        description="Events: change, remove, summary, reset, alive. Last-Event-ID resumes.",
        parameters=(*_filters(), _SINCE),
        replies={200: Reply("The events, without end.", _EVENTS), 503: _PROBLEM},
    ),
    Operation(
        id="change",
        method="GET",
        path=f"{PATH}/{{wiki_id}}/{{rev_id:int}}",
        tag=_TAG,
        summary="Show one change closely",
        description="Its diff, why it has its score, the edits around it.",
        parameters=_CHANGE,
        replies={200: Reply("The page.", _HTML), 404: _NO_CHANGE, 503: _UNREAD},
    ),
    Operation(
        id="change_json",
        method="GET",
        path=f"{PATH}/{{wiki_id}}/{{rev_id:int}}.json",
        tag=_TAG,
        summary="Tell of one change closely",
        parameters=_CHANGE,
        replies={
            200: Reply("The change.", Content(kinds=(CloseJson,))),
            404: Reply("No such change is here.", _PROBLEM.content),
            503: _PROBLEM,
        },
    ),
    Operation(
        id="health",
        method="GET",
        path="/healthz",
        tag=_TAG,
        summary="Tell that the process lives",
        description="A process that does not answer within seconds should be started anew.",
        replies={200: Reply("It does.", Content(kinds=(Alive,)))},
    ),
)
