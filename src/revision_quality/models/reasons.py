"""Why a score is what it is, in a patroller's words."""

from enum import StrEnum

from msgspec import Struct

from revision_quality.models.features.feature import Feature
from revision_quality.models.phrases import has_phrase, phrase


class Form(StrEnum):
    """Which of a feature's phrases a value takes."""

    ABOVE = "above"
    ZERO = "zero"
    BELOW = "below"
    MISSING = "missing"


class Reason(Struct, frozen=True):
    """What one feature did to one score.

    `contribution` is in log odds: above 0 it raised the score, below 0 it lowered it; the
    contributions of all features add up to the score's distance from the average. `text` is a
    phrase whose subject is the edit, such as "removes 4 references"; for one in another language
    (`phrases`), `form` tells which phrase of the feature it is, and `is_limit` that the value is
    counted no further.
    """

    feature: str
    value: float
    contribution: float
    text: str
    form: Form = Form.ABOVE
    is_limit: bool = False


def reason(feature: Feature, value: float, contribution: float) -> Reason:
    """Return what a feature's value did, with a phrase for it."""
    form, is_limit = _form(feature, value), value == feature.high
    text = say(feature, value)
    return Reason(feature.name, value, contribution, text, form, is_limit)


def say(feature: Feature, value: float) -> str:
    """Return an English phrase for a feature's value, "" where there is none."""
    form, is_limit = _form(feature, value), value == feature.high
    return phrase(feature.name, form, abs(value), is_limit=is_limit) or ""


def _form(feature: Feature, value: float) -> Form:
    if value == feature.missing:
        return Form.MISSING if has_phrase(feature.name, Form.MISSING) else Form.ZERO
    return Form.ABOVE if value > 0 else Form.BELOW if value < 0 else Form.ZERO
