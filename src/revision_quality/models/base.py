"""What scoring asks of a model, and what a model answers."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from msgspec import Struct

from revision_quality.wiki.revision import Revision


class Prediction(Struct, frozen=True):
    """A model's answer for one revision: `score` is P(reverted), 0 to 1."""

    score: float

    @property
    def prediction(self) -> bool:
        """The model's own decision, at 0.5 as Lift Wing's; levels decide on the wiki's behalf."""
        return self.score >= 0.5


class Unscored(Struct, frozen=True):
    """A revision that a model could not score.

    `reason` is a code such as `text_too_large`, `message` a sentence. `is_final` tells a revision
    that no model call will ever score (not scorable) from a call that failed (failed).
    """

    reason: str
    message: str
    is_final: bool = False


class Model(Protocol):
    """Scores revisions; any number of calls may be under way at once.

    `name` and `version` identify the scores it gives; `version` is at most 32 characters long,
    the width of the ORES extension's column.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def version(self) -> str: ...  # noqa: D102

    async def predict(self, revisions: Sequence[Revision]) -> Sequence[Prediction | Unscored]:
        """Score `revisions`: one answer each, in their order. Raises ModelError for the batch."""
        ...


@runtime_checkable
class PromptModel(Model, Protocol):
    """A model that scores in the calling thread what takes no longer than a few milliseconds."""

    def predict_at_once(self, revision: Revision) -> Prediction | None:
        """Score one revision, None where that takes long or it gets no score."""
        ...
