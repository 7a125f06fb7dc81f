"""A model that requests may name, with all that is told of it."""

from msgspec import Struct

from revision_quality.models.base import Model
from revision_quality.recent_changes.wiki_levels import CurrentLevels
from revision_quality.web.answering import Answers
from revision_quality.web.explanations import Explanations


class ServedModel(Struct, frozen=True, kw_only=True):
    """Who answers for one model, its levels, and who tells why it scores as it does."""

    model: Model
    answers: Answers
    levels: CurrentLevels
    explanations: Explanations
