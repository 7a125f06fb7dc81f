"""The HTTP API beside the pages: scores in the protocols that others speak, and its document."""

from collections.abc import Callable, Collection, Mapping, Sequence

from msgspec import Struct
from starlette.routing import BaseRoute

from revision_quality.models.base import Model
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.scoring.on_request import AskedWiki, OnRequest
from revision_quality.web import lift_wing_operations, ores, page_operations, scores
from revision_quality.web.answering import Answers, Stored
from revision_quality.web.explanations import Explanations
from revision_quality.web.lift_wing import LiftWing
from revision_quality.web.openapi import Documentation
from revision_quality.web.operation import Operation
from revision_quality.web.ores import Ores
from revision_quality.web.scores import Scores
from revision_quality.web.served_model import ServedModel
from revision_quality.web.view import View
from revision_quality.web.wiki_names import WikiNames


class Extra(Struct, frozen=True):
    """Routes of another protocol with their operations, for the document."""

    routes: Sequence[BaseRoute]
    operations: Sequence[Operation]


class AskedModel(Struct, frozen=True):
    """A model that can be asked for, what answers for it, and its levels in every wiki.

    `stored` finds its scores where the streams have no index.
    """

    model: Model
    asked: OnRequest
    levels: CurrentLevels
    stored: Stored | None = None


def api_routes(
    models: Sequence[AskedModel],
    view: View,
    *,
    wiki_ids: Collection[str],
    wiki_of: Callable[[str], AskedWiki | None],
    ores_aliases: Mapping[str, str] = {},
    trusts_events: bool = False,
    extra: Sequence[Extra] = (),
) -> list[BaseRoute]:
    """Return the routes of Lift Wing, ORES, scores and their document, for `create_app`.

    Of `models` the first one is the one that `view` shows. `wiki_ids` are the wikis that they and
    `wiki_of` know. `ores_aliases` are further names for models in ORES's protocol, such as
    `damaging`, each with the name of the model that answers. `trusts_events` is `LiftWing`'s.
    """
    served = [
        ServedModel(
            model=one.model,
            answers=Answers(one.asked, view, one.stored),
            levels=one.levels,
            explanations=Explanations(one.model, wiki_of),
        )
        for one in models
    ]
    names = WikiNames(wiki_ids)
    operations = [
        *page_operations.OPERATIONS,
        *scores.OPERATIONS,
        *lift_wing_operations.OPERATIONS,
        *ores.OPERATIONS,
        *(operation for other in extra for operation in other.operations),
    ]
    return [
        *LiftWing(served, names, trusts_events=trusts_events).routes,
        *Ores(served, names, aliases=ores_aliases).routes,
        *Scores(served, names).routes,
        *Documentation(operations).routes,
        *(one for other in extra for one in other.routes),
    ]
