"""The HTTP API beside the pages: scores in the protocols that others speak, and its document."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from starlette.routing import BaseRoute

from revision_quality.models.base import Model
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.scoring.on_request import AskedWiki, OnRequest
from revision_quality.web import lift_wing, ores, page_operations, scores
from revision_quality.web.answering import Answers
from revision_quality.web.explanations import Explanations
from revision_quality.web.lift_wing import LiftWing
from revision_quality.web.openapi import Documentation
from revision_quality.web.operation import Operation
from revision_quality.web.ores import Ores
from revision_quality.web.scores import Scores
from revision_quality.web.view import View
from revision_quality.web.wiki_names import WikiNames


class Extra(Struct, frozen=True):
    """Routes of another protocol with their operations, for the document."""

    routes: Sequence[BaseRoute]
    operations: Sequence[Operation]


def api_routes(
    asked: OnRequest,
    model: Model,
    view: View,
    levels: WikiLevels,
    *,
    wiki_ids: Sequence[str],
    wiki_of: Callable[[str], AskedWiki | None],
    ores_aliases: Sequence[str] = (),
    trusts_events: bool = False,
    extra: Sequence[Extra] = (),
) -> list[BaseRoute]:
    """Return the routes of Lift Wing, ORES, scores and their document, for `create_app`.

    `wiki_ids` are the wikis that `asked` and `wiki_of` know. `ores_aliases` are further names for
    the model in ORES's protocol, such as `damaging`. `trusts_events` is `LiftWing`'s.
    """
    answers = Answers(asked, view)
    names = WikiNames(wiki_ids)
    operations = [
        *page_operations.OPERATIONS,
        *scores.OPERATIONS,
        *lift_wing.OPERATIONS,
        *ores.OPERATIONS,
        *(operation for other in extra for operation in other.operations),
    ]
    return [
        *LiftWing(answers, model, names, trusts_events=trusts_events).routes,
        *Ores(answers, model, names, levels, aliases=ores_aliases).routes,
        *Scores(answers, names, levels, Explanations(model, wiki_of)).routes,
        *Documentation(operations).routes,
        *(one for other in extra for one in other.routes),
    ]
