"""What changes of a revision after the edit: its tags and what of it is hidden.

Source: the schemas `/mediawiki/revision/tags-change/1.x` and
`/mediawiki/revision/visibility-change/1.x`, which share the fields of revision/create. Only those
that this package reads or writes are named; others are ignored.

`performer` is who changed the tags or the visibility. `editor`, who made the revision, is this
package's own: where a hidden name is shown again, it says which. MediaWiki's events have none.
"""

from msgspec import Struct, field

from revision_quality.events.decoding import EventDecoder
from revision_quality.events.meta import Meta, Namespace, Number, Timestamp

TAGS_SCHEMA = "/mediawiki/revision/tags-change/1.0.0"
TAGS_SCHEMA_PREFIX = "/mediawiki/revision/tags-change/1."
VISIBILITY_SCHEMA = "/mediawiki/revision/visibility-change/1.0.0"
VISIBILITY_SCHEMA_PREFIX = "/mediawiki/revision/visibility-change/1."


class RevisionPerformer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The user in the older schemas' words."""

    user_text: str | None = None
    user_groups: tuple[str, ...] | None = None
    user_is_bot: bool | None = None
    user_id: Number | None = None
    user_edit_count: Number | None = None
    user_registration_dt: Timestamp | None = None


class _RevisionChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    schema: str = field(name="$schema")
    meta: Meta
    dt: Timestamp
    database: str
    page_id: Number
    page_title: str
    page_namespace: Namespace
    rev_id: Number
    rev_timestamp: Timestamp
    page_is_redirect: bool | None = None
    rev_parent_id: Number | None = None
    comment: str | None = None
    performer: RevisionPerformer | None = None
    editor: RevisionPerformer | None = None


class PriorTags(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The tags before."""

    tags: tuple[str, ...] = ()


class TagsChange(_RevisionChange, frozen=True, kw_only=True, omit_defaults=True):
    """`tags` are all the tags that the revision has after the change."""

    tags: tuple[str, ...]
    prior_state: PriorTags | None = None


class Visibility(Struct, frozen=True, kw_only=True):
    """Which parts of a revision everyone may see."""

    text: bool
    user: bool
    comment: bool


class PriorVisibility(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The visibility before, where known."""

    visibility: Visibility | None = None


class VisibilityChange(_RevisionChange, frozen=True, kw_only=True, omit_defaults=True):
    """`visibility` is what holds after the change. Hidden parts are absent from the event."""

    visibility: Visibility
    prior_state: PriorVisibility | None = None


_decode_tags = EventDecoder(TagsChange, "tags-change", TAGS_SCHEMA_PREFIX)
_decode_visibility = EventDecoder(VisibilityChange, "visibility-change", VISIBILITY_SCHEMA_PREFIX)


def decode_tags_change(raw: bytes) -> TagsChange:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode_tags(raw)


def decode_visibility_change(raw: bytes) -> VisibilityChange:
    """Read an event. Raises InvalidEventError naming the field and what was expected."""
    return _decode_visibility(raw)
