"""The calls of the levels page, for the API's document."""

from revision_quality.web.json_answers import Problem
from revision_quality.web.levels import LEVELS_PATH, WHAT_IF, LevelsJson, WikiLevelsJson
from revision_quality.web.operation import Content, Operation, Parameter, Reply

_TAG = "Levels"
_HTML = Content(kinds=(str,), media_type="text/html")
_PROBLEM = Content(kinds=(Problem,), media_type="application/problem+json")
_PARAMETERS = (
    Parameter(
        name="wiki", place="query", description="A wiki_id; all wikis without it.", example="enwiki"
    ),
    Parameter(name="model", place="query", description="A model; the first one without it."),
    Parameter(
        name=WHAT_IF,
        place="query",
        description="A target: which level it would give on this wiki.",
        example="flag_rate <= 0.02",
    ),
)

OPERATIONS = (
    Operation(
        id="levels",
        method="GET",
        path=LEVELS_PATH,
        tag=_TAG,
        summary="Show the levels of wikis and what they do",
        description="In JSON where the Accept header asks for it and not for HTML.",
        parameters=_PARAMETERS,
        replies={200: Reply("The page.", _HTML), 503: Reply("The views cannot be read.", _HTML)},
    ),
    Operation(
        id="levels_json",
        method="GET",
        path=f"{LEVELS_PATH}.json",
        tag=_TAG,
        summary="List the levels of all wikis, or of one with its curve, days and log",
        parameters=_PARAMETERS,
        replies={
            200: Reply("The levels.", Content(kinds=(LevelsJson, WikiLevelsJson))),
            400: Reply("The target cannot be read.", _PROBLEM),
            503: Reply("The views cannot be read.", _PROBLEM),
        },
    ),
)
