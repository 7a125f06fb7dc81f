"""What Lift Wing's revert risk server takes and answers, as JSON."""

from typing import Annotated, Any

from msgspec import Meta, Struct, field

from revision_quality.web.lift_wing_requests import MAX_INSTANCES, MAX_REV_ID


class Instance(Struct, frozen=True, omit_defaults=True):
    """A revision asked for; `lang` may be absent where the model's name has the wiki."""

    rev_id: Annotated[int, Meta(ge=1, le=MAX_REV_ID)] | str
    lang: str = ""


class PredictJson(Struct, frozen=True, omit_defaults=True):
    """A request, for the API's document; of what is there the last of these counts."""

    rev_id: Annotated[int, Meta(ge=1, le=MAX_REV_ID)] | str | None = None
    lang: str | None = None
    event: dict[str, Any] | None = None
    instances: Annotated[list[Instance], Meta(min_length=1, max_length=MAX_INSTANCES)] | None = None
    revision_data: dict[str, Any] | None = None


class Probabilities(Struct, frozen=True):
    """P(reverted) and the rest to 1."""

    true: float
    false: float


class Output(Struct, frozen=True):
    """The model's own decision at 0.5, and its probabilities."""

    prediction: bool
    probabilities: Probabilities


class PredictionJson(Struct, frozen=True):
    """The answer for one revision; `revision_id` as it was asked for, -1 for a text."""

    model_name: str
    model_version: str
    wiki_db: str
    revision_id: int | str
    output: Output


class Predictions(Struct, frozen=True, omit_defaults=True):
    """The answer for `instances`; `errors` says which have no prediction, and why."""

    predictions: list[PredictionJson]
    errors: list[str] = field(default_factory=list)


class ErrorJson(Struct, frozen=True):
    """KServe's errors."""

    error: str


class DetailJson(Struct, frozen=True):
    """FastAPI's errors."""

    detail: str


class ModelNames(Struct, frozen=True):
    """What there is."""

    models: list[str]


class ModelState(Struct, frozen=True):
    """Whether a model can be asked."""

    name: str
    ready: bool
