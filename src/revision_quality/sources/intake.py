"""Events that others send: examined, completed and written for their streams."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.decoding import MAX_EVENT_BYTES
from revision_quality.events.error import ErrorEvent
from revision_quality.events.identity import Event, log_id
from revision_quality.events.meta import Meta, event_id
from revision_quality.events.page_change import decode_page_change
from revision_quality.events.prediction import decode_prediction
from revision_quality.events.prediction_error import decode_prediction_error
from revision_quality.events.revision_change import (
    TagsChange,
    VisibilityChange,
    decode_tags_change,
    decode_visibility_change,
)
from revision_quality.events.stream_config import Intake, StreamConfig, StreamConfigs
from revision_quality.events.validation import (
    Violation,
    describe,
    is_known,
    parse_schema_uri,
    violations,
)
from revision_quality.streams.base import Outgoing, page_key

EMITTER = "event_gate"

_MOST_RAW_EVENT = 65_536
_MOST_REQUEST_ID = 255

_DECODERS: Mapping[str, Callable[[bytes], Event]] = {
    "mediawiki/page/change": decode_page_change,
    "mediawiki/revision/tags-change": decode_tags_change,
    "mediawiki/revision/visibility-change": decode_visibility_change,
    "mediawiki/page/prediction_classification_change": decode_prediction,
    "revision_quality/prediction_error": decode_prediction_error,
}


class Accepted(Struct, frozen=True):
    """An event as it came, and how to append it; None for one that is of no use here."""

    raw: bytes
    outgoing: Outgoing | None = None


class Invalid(Struct, frozen=True):
    """An event that does not hold to its schema: sending it again will not help."""

    event: Any
    violations: tuple[Violation, ...]
    message: str
    stream: str | None = None


class Refused(Struct, frozen=True):
    """An event that may be right, but that cannot be taken here."""

    event: Any
    message: str


Examined = Accepted | Invalid | Refused


def examine(
    raw: bytes, configs: StreamConfigs, received: datetime, request_id: str | None = None
) -> Examined:
    """Examine an event and set `meta.dt`, `meta.id` and `meta.request_id` where they are missing.

    Raises InvalidEventError for bytes that are no JSON at all.
    """
    event = decode_json(raw)
    if not isinstance(event, dict):
        return _invalid(event, "an event must be a JSON object")
    if len(raw) > MAX_EVENT_BYTES:
        return _invalid(
            event, f"the event has {len(raw)} bytes, more than the limit of {MAX_EVENT_BYTES}"
        )
    try:
        config = _config_of(event, configs)
    except InvalidEventError as error:
        return Refused(event, str(error))
    if config.intake is Intake.IGNORE:
        return Accepted(raw)
    return _examine_kept(event, raw, config, received, request_id)


def decode_json(raw: bytes) -> Any:
    """Decode JSON. Raises InvalidEventError."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidEventError(f"malformed JSON: {error}") from error


def dead_letter(invalid: Invalid, received: datetime) -> Outgoing:
    """Write the error event of an invalid one, cut to 64 KiB, for who looks why it is missing."""
    raw = msgspec.json.encode(invalid.event)
    letter = ErrorEvent(
        meta=Meta(
            stream=names.DEAD_LETTER, id=event_id("error", EMITTER, _digest(raw)), dt=received
        ),
        emitter_id=EMITTER,
        message=invalid.message,
        raw_event=raw[:_MOST_RAW_EVENT].decode("utf-8", "replace"),
        error_type="ValidationError",
        errored_stream_name=invalid.stream or "",
    )
    return Outgoing(names.DEAD_LETTER, str(letter.meta.id), "", msgspec.json.encode(letter))


def _config_of(event: Mapping[str, Any], configs: StreamConfigs) -> StreamConfig:
    meta = event.get("meta")
    stream = meta.get("stream") if isinstance(meta, dict) else None
    if not isinstance(stream, str):
        raise InvalidEventError("the event's stream is not known: meta.stream must name it")
    uri = parse_schema_uri(event.get("$schema"))
    config = configs.get(stream)
    if config is None:
        raise InvalidEventError(f"{stream[:255]!r} is not a configured stream")
    if config.intake is Intake.REFUSE:
        raise InvalidEventError(f"{stream} is written by this service only")
    if uri.title != config.schema_title:
        raise InvalidEventError(
            f"the schema title must be {config.schema_title} in {stream}, not {uri.title}"
        )
    if config.intake is Intake.STORE and not is_known(uri):
        raise InvalidEventError(f"there is no schema {uri.title} of major version {uri.major}")
    return config


def _examine_kept(
    event: dict[str, Any],
    raw: bytes,
    config: StreamConfig,
    received: datetime,
    request_id: str | None,
) -> Examined:
    wrong = violations(parse_schema_uri(event["$schema"]), event)
    if wrong:
        return Invalid(event, wrong, describe(wrong), config.stream)
    meta = _meta(event["meta"], raw, received, request_id)
    value = msgspec.json.encode(_completed(event | {"meta": meta}))
    try:
        decoded = _DECODERS[config.schema_title](value)
    except InvalidEventError as error:
        return _invalid(event, str(error), config.stream)
    return Accepted(raw, Outgoing(config.stream, log_id(decoded), _key(decoded), value))


def _completed(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as this package's readers want it.

    MediaWiki 1.43 leaves `dt` out of tags-change and visibility-change.
    """
    event.setdefault("dt", event["meta"]["dt"])
    return event


def _meta(
    meta: Mapping[str, Any], raw: bytes, received: datetime, request_id: str | None
) -> dict[str, Any]:
    """Complete `meta`; an event without an id gets one of its bytes, the same if sent again."""
    completed = dict(meta)
    completed.setdefault("dt", received)
    if "id" not in completed:
        completed["id"] = event_id("event", _digest(raw))
    if request_id:
        completed.setdefault("request_id", request_id[:_MOST_REQUEST_ID])
    return completed


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def _key(event: Event) -> str:
    if isinstance(event, TagsChange | VisibilityChange):
        return page_key(event.database, event.page_id)
    return page_key(event.wiki_id, event.page.page_id)


def _invalid(event: Any, message: str, stream: str | None = None) -> Invalid:
    return Invalid(event, (Violation("event", "", "#", message),), message, stream)
