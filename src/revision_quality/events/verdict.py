"""verdict: what a patroller says of a scored edit.

Wikimedia has no such stream; JADE, which was to be one, was given up.
"""

from enum import StrEnum
from typing import Annotated

from msgspec import Meta as Constraint
from msgspec import Struct, field

from revision_quality.events.decoding import EventDecoder
from revision_quality.events.meta import Meta, Number, Timestamp, event_id
from revision_quality.events.prediction import Probability
from revision_quality.events.streams import VERDICT

SCHEMA = "/revision_quality/verdict/1.1.0"
SCHEMA_PREFIX = "/revision_quality/verdict/1."

MAX_AUTHOR, MAX_COMMENT = 255, 500
"""Characters. MediaWiki's names have up to 255 bytes, its summaries 500 characters."""


class Verdict(StrEnum):
    """FALSE_POSITIVE: it was flagged and should not have been. FINE and DAMAGING say what it is."""

    FALSE_POSITIVE = "false_positive"
    FINE = "fine"
    DAMAGING = "damaging"


class Shown(Struct, frozen=True, kw_only=True, gc=False):
    """The score that was shown when the verdict was given."""

    model_name: str
    model_version: str
    score: Probability


class VerdictEvent(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """The event. `dt` is when the verdict was given.

    `by` is the wiki user name that was given with it, which nobody has checked; empty where none
    was. `replaces` is the `meta.id` of the author's earlier verdict on the same edit. `page_id` and
    `rev_dt`, the time of the edit, place it; events of before 1.1.0 have neither.
    """

    schema: str = field(name="$schema")
    meta: Meta
    dt: Timestamp
    wiki_id: Annotated[str, Constraint(min_length=1, max_length=255)]
    rev_id: Number
    verdict: Verdict
    by: Annotated[str, Constraint(max_length=MAX_AUTHOR)] = ""
    comment: Annotated[str, Constraint(max_length=MAX_COMMENT)] = ""
    shown: Shown | None = None
    replaces: str | None = None
    page_id: Number | None = None
    rev_dt: Timestamp | None = None


class Judgement(Struct, frozen=True, kw_only=True):
    """What somebody says of an edit: the part of a verdict that is its identity."""

    wiki_id: str
    rev_id: int
    verdict: Verdict
    by: str = ""
    comment: str = ""


def verdict_id(given: Judgement, replaces: str | None) -> str:
    """Return the `meta.id`: the same verdict said twice is one, said again after another is not."""
    return event_id(
        *("verdict", given.wiki_id, given.rev_id, given.by, given.verdict, given.comment),
        replaces or "",
    )


def build_verdict(
    given: Judgement,
    dt: Timestamp,
    shown: Shown | None = None,
    replaces: str | None = None,
    *,
    page_id: int,
    rev_dt: Timestamp,
) -> VerdictEvent:
    """Build the event of a verdict that was given at `dt` on an edit of `rev_dt`."""
    return VerdictEvent(
        schema=SCHEMA,
        meta=Meta(stream=VERDICT, id=verdict_id(given, replaces), dt=dt),
        dt=dt,
        wiki_id=given.wiki_id,
        rev_id=given.rev_id,
        verdict=given.verdict,
        by=given.by,
        comment=given.comment,
        shown=shown,
        replaces=replaces,
        page_id=page_id,
        rev_dt=rev_dt,
    )


_decode = EventDecoder(VerdictEvent, "verdict", SCHEMA_PREFIX)


def decode_verdict(raw: bytes) -> VerdictEvent:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode(raw)
