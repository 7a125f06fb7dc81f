"""Revisions as Lift Wing's clients send them: the `revision_data` object.

Source: Wikimedia's inference-services, pre-save revert risk. Beyond Lift Wing's required fields it
may have `comment`, `wiki_id`, `parent.comment`, `tags` and, named as in page_change's user entity,
`user.user_text`, `user.groups`, `user.edit_count`, `user.registration_dt` and `user.is_temp`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from revision_quality.errors import InvalidRevisionError
from revision_quality.events.meta import Timestamp
from revision_quality.sites import wiki_id_of
from revision_quality.wiki.revision import Page, Parent, Revision, User

REQUIRED = (
    "id", "lang", "text", "timestamp", "bytes", "page.id", "page.title",
    "page.first_edit_timestamp", "parent.id", "parent.lang", "parent.text", "parent.timestamp",
    "parent.bytes", "user.id",
)  # fmt: skip
"""Without one of these Lift Wing answers 400."""

_Count = Annotated[int, Meta(ge=0)]


class _PageData(Struct, frozen=True):
    id: int
    title: str
    first_edit_timestamp: Timestamp
    namespace_id: int = 0


class _ParentData(Struct, frozen=True):
    id: int
    lang: str
    text: str
    timestamp: Timestamp
    bytes: _Count
    comment: str | None = None
    user_text: str | None = None


class _UserData(Struct, frozen=True):
    id: int
    user_text: str | None = None
    groups: tuple[str, ...] | None = None
    edit_count: int | None = None
    registration_dt: Timestamp | None = None
    is_temp: bool = False


class _RevisionData(Struct, frozen=True):
    id: int
    lang: str
    text: str
    timestamp: Timestamp
    bytes: _Count
    page: _PageData
    parent: _ParentData
    user: _UserData
    comment: str | None = ""
    wiki_id: str | None = None
    tags: tuple[str, ...] = ()


class RevisionData(Struct, frozen=True):
    """The revision, and the id, language and wiki to answer with, as the client gave them."""

    revision: Revision
    rev_id: int
    lang: str
    wiki_id: str | None = None


class _Request(Struct, frozen=True):
    revision_data: _RevisionData
    instances: list[msgspec.Raw] = []


_decode = msgspec.json.Decoder(_Request).decode


def decode_revision_data(body: bytes) -> RevisionData | None:
    """Read the JSON of a request with `revision_data`; None for any other, whatever it is.

    Takes no more than `read_revision_data` takes of the request's JSON, in half of the time.
    """
    try:
        data = _decode(body).revision_data
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return _revision_data(data)


def read_revision_data(value: object) -> RevisionData:
    """Read an object. Raises InvalidRevisionError in Lift Wing's words for missing fields."""
    try:
        data = msgspec.convert(value, _RevisionData)
    except msgspec.ValidationError as error:
        if all(_has(value, name) for name in REQUIRED):
            raise InvalidRevisionError(f"Not a revision_data object: {error}") from error
        fields = ", ".join(f"`{name}`" for name in REQUIRED)
        message = f"Missing some required fields. Required fields are {fields}."
        raise InvalidRevisionError(message) from error
    return _revision_data(data)


def _revision_data(data: _RevisionData) -> RevisionData:
    return RevisionData(_revision(data), data.id, data.lang, data.wiki_id)


def _has(value: Any, name: str) -> bool:
    for part in name.split("."):
        if not isinstance(value, dict) or value.get(part) is None:
            return False
        value = value[part]
    return True


def _revision(data: _RevisionData) -> Revision:
    return Revision(
        wiki_id=data.wiki_id or wiki_id_of(data.lang) or f"{data.lang}wiki",
        rev_id=data.id,
        rev_dt=data.timestamp,
        page=Page(
            page_id=data.page.id,
            title=data.page.title,
            namespace_id=data.page.namespace_id,
            first_edit_dt=data.page.first_edit_timestamp,
        ),
        parent=Parent(
            text=data.parent.text,
            rev_id=data.parent.id,
            rev_dt=data.parent.timestamp,
            comment=data.parent.comment,
            user_text=data.parent.user_text,
        ),
        user=User(
            user_text=data.user.user_text,
            user_id=data.user.id,
            is_temp=data.user.is_temp,
            groups=data.user.groups,
            edit_count=data.user.edit_count,
            registration_dt=data.user.registration_dt,
        ),
        text=data.text,
        comment=data.comment,
    )
