"""Under which identifier the log keeps an event, so that it is there once whoever brings it.

An edit that MediaWiki's EventBus sends has another `meta.id` than the event that polling makes of
the same edit. A score is identified by wiki, revision, model and version, whatever its `meta.id`.
"""

from typing import TypeVar
from uuid import UUID

from msgspec.structs import replace

from revision_quality.events.meta import Meta, event_id
from revision_quality.events.page_change import PageChange, PageChangeKind
from revision_quality.events.prediction import PredictionChange, prediction_id
from revision_quality.events.prediction_error import PredictionError, prediction_error_id
from revision_quality.events.revision_change import TagsChange, VisibilityChange

Event = PageChange | TagsChange | VisibilityChange | PredictionChange | PredictionError

E = TypeVar("E", bound=Event)

_REVISIONS = (PageChangeKind.CREATE, PageChangeKind.EDIT, PageChangeKind.MOVE)
"""Each makes a revision of its own; of the other kinds one revision may have several events."""


def log_id(event: Event) -> str:
    """Return the UUID under which to keep an event; `meta.id` must be set."""
    revision_id = _revision_id(event)
    return revision_id or uuid_of(event.meta)


def with_log_id(event: E) -> E:
    """Return an event whose `meta.id` is the identifier of what it tells."""
    return replace(event, meta=replace(event.meta, id=log_id(event)))


def uuid_of(meta: Meta) -> str:
    """Return `meta.id` if it is a UUID, else one made of it and the stream."""
    try:
        return str(UUID(meta.id))
    except ValueError:
        return event_id("event", meta.stream, meta.id)


def _revision_id(event: Event) -> str | None:
    if isinstance(event, PageChange):
        is_revision = event.page_change_kind in _REVISIONS and not event.is_canary
        return event_id("edit", event.wiki_id, event.revision.rev_id) if is_revision else None
    if isinstance(event, PredictionChange):
        model = event.predicted_classification
        return prediction_id(
            event.wiki_id, event.revision.rev_id, model.model_name, model.model_version
        )
    if isinstance(event, PredictionError):
        return prediction_error_id(
            event.wiki_id, event.revision.rev_id, event.error.model_name, event.error.model_version
        )
    return None
