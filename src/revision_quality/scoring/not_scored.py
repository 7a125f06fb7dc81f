"""Why an edit has no score."""

from msgspec import Struct

from revision_quality.events.prediction_error import Outcome


class NotScored(Struct, frozen=True):
    """`reason` is a code, `message` a sentence; `state` tells the final from what may pass."""

    state: Outcome
    reason: str
    message: str
