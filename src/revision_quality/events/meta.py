"""What every event carries about itself, and the identifiers derived from it."""

from datetime import datetime
from typing import Annotated
from uuid import UUID, uuid5

from msgspec import Meta as Constraint
from msgspec import Struct

Timestamp = Annotated[datetime, Constraint(tz=True)]

Number = Annotated[int, Constraint(ge=0, le=2**63 - 1)]
"""An id, a count or a size: what a database's BIGINT holds."""

Namespace = Annotated[int, Constraint(ge=-(2**31), le=2**31 - 1)]

_NAMESPACE = UUID("0f6ad1a5-5d0c-5c1e-9b52-6c0e5a8a1f11")


class Meta(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The `meta` object: `id` is a UUID, `dt` the time at which the event was received."""

    stream: str
    id: str | None = None
    domain: str | None = None
    uri: str | None = None
    request_id: str | None = None
    dt: Timestamp | None = None


def event_id(*parts: object) -> str:
    """Return the UUID of the event that these parts identify, the same at every call.

    An event sent twice after a crash then carries the same `meta.id`, so that any consumer can
    tell that it is one.
    """
    return str(uuid5(_NAMESPACE, "\x1f".join(map(str, parts))))
