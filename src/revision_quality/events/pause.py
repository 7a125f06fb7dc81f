"""pause: that a wiki or a model is paused, or goes on. The last event of each says what holds."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct, field

from revision_quality.events.decoding import EventDecoder
from revision_quality.events.meta import Meta
from revision_quality.events.streams import PAUSE

SCHEMA = "/revision_quality/pause/1.0.0"
SCHEMA_PREFIX = "/revision_quality/pause/1."

What = Literal["wiki", "model"]


class Pause(Struct, frozen=True, kw_only=True):
    """The event: `name` is a wiki_id or a model's name."""

    schema: str = field(name="$schema", default=SCHEMA)
    meta: Meta
    what: What
    name: str
    is_paused: bool

    @property
    def key(self) -> str:
        """What keeps the events of one wiki or model in order."""
        return msgspec.json.encode({"what": self.what, "name": self.name}).decode()


def build_pause(
    what: What, name: str, *, is_paused: bool, identifier: str, moment: datetime
) -> Pause:
    """Build the event."""
    meta = Meta(stream=PAUSE, id=identifier, dt=moment)
    return Pause(meta=meta, what=what, name=name, is_paused=is_paused)


_decode = EventDecoder(Pause, "pause", SCHEMA_PREFIX)


def decode_pause(raw: bytes) -> Pause:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode(raw)
