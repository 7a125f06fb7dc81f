"""The operations of `/v1/models`, for the API's document."""

from revision_quality.web.lift_wing_json import (
    DetailJson,
    ErrorJson,
    ModelNames,
    ModelState,
    PredictionJson,
    Predictions,
    PredictJson,
)
from revision_quality.web.operation import Content, Operation, Parameter, Reply

NAME = "revertrisk-language-agnostic"
"""The only name that the ORES extension asks for."""

_TAG = "Lift Wing"
_NAME = Parameter(
    name="name",
    description="The model's name, with a wiki's id in front or without.",
    example=NAME,
)
_ERROR = Content(kinds=(ErrorJson,))
_EVENT = {
    "$schema": "/mediawiki/page/change/1.2.0",
    "meta": {"stream": "mediawiki.page_change.v1", "domain": "en.wikipedia.org"},
    "dt": "2026-08-01T10:00:00Z",
    "wiki_id": "enwiki",
    "page_change_kind": "edit",
    "changelog_kind": "update",
    "page": {"page_id": 1234, "page_title": "Example", "namespace_id": 0},
    "revision": {"rev_id": 1001, "rev_dt": "2026-08-01T10:00:00Z", "rev_parent_id": 998},
}
_REVISION_DATA = {
    "id": -1,
    "lang": "en",
    "text": "new wikitext",
    "comment": "fix",
    "timestamp": "2026-08-01T10:00:00Z",
    "bytes": 12,
    "page": {"id": 1234, "title": "Example", "first_edit_timestamp": "2005-03-01T00:00:00Z"},
    "parent": {
        "id": 998,
        "lang": "en",
        "text": "old wikitext",
        "timestamp": "2026-07-30T09:00:00Z",
        "bytes": 12,
    },
    "user": {"id": 0},
}

PREDICT = Operation(
    id="predict",
    method="POST",
    path="/v1/models/{name}:predict",
    tag=_TAG,
    summary="Score revisions",
    description=(
        "Takes `rev_id` and `lang`, up to 20 `instances` of one `lang`, a page_change or"
        " revision-create `event`, or the texts themselves as `revision_data`. A revision scored"
        " before is answered from the stream of predictions; any other is read from its wiki, and"
        " what became of it is published. With `revision_data` nothing is read or published."
    ),
    parameters=(_NAME,),
    body=Content(
        kinds=(PredictJson,),
        examples={
            "one revision": {"rev_id": 12345, "lang": "en"},
            "several": {"instances": [{"rev_id": 1, "lang": "en"}, {"rev_id": 2, "lang": "en"}]},
            "event": {"event": _EVENT},
            "texts": {"revision_data": _REVISION_DATA},
        },
    ),
    replies={
        200: Reply("The predictions.", Content(kinds=(PredictionJson, Predictions))),
        400: Reply("Not such a request.", Content(kinds=(ErrorJson, DetailJson))),
        404: Reply("No such model.", _ERROR),
        408: Reply("The body came too slowly.", _ERROR),
        413: Reply("The body is too large.", _ERROR),
        422: Reply("No revision can be scored; says why.", Content(kinds=(DetailJson,))),
        500: Reply("The wiki or the model failed.", _ERROR),
        503: Reply("The streams cannot be read or written.", _ERROR),
    },
)
MODELS = Operation(
    id="models",
    method="GET",
    path="/v1/models",
    tag=_TAG,
    summary="List the models",
    replies={200: Reply("The names.", Content(kinds=(ModelNames,)))},
)
MODEL = Operation(
    id="model",
    method="GET",
    path="/v1/models/{name}",
    tag=_TAG,
    summary="Tell whether a model is ready",
    parameters=(_NAME,),
    replies={
        200: Reply("It is.", Content(kinds=(ModelState,))),
        404: Reply("No such model.", _ERROR),
    },
)
OPERATIONS = (PREDICT, MODELS, MODEL)
