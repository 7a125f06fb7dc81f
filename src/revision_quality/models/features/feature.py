"""What a feature is: a named, documented number."""

from msgspec import Struct


class Feature(Struct, frozen=True):
    """One number that a model reads of a revision.

    `missing` is the value that stands for "not known", None where that cannot happen. `source`
    names the fields of `Revision` that it is computed from: all are known when the edit is saved.
    `monotone` is 1 where a larger value may only raise the risk, -1 where it may only lower it,
    0 where the data decide.
    """

    name: str
    text: str
    unit: str
    source: str
    low: float = 0.0
    high: float | None = None
    missing: float | None = None
    monotone: int = 0


class Origin(Struct, frozen=True):
    """Where a field of `Revision` comes from: a page_change event, and a wiki's Action API.

    `event` is None for what no event carries: it is read from the API.
    """

    event: str | None
    api: str


ORIGINS = {
    "text": Origin(None, "prop=revisions, content of the slot main"),
    "parent.text": Origin(None, "the same of the parent"),
    "comment": Origin("revision.comment", "prop=revisions, comment"),
    "rev_dt": Origin("revision.rev_dt", "prop=revisions, timestamp"),
    "page.title": Origin("page.page_title", "title"),
    "page.namespace_id": Origin("page.namespace_id", "ns"),
    "parent.rev_dt": Origin(None, "prop=revisions of the parent, timestamp"),
    "parent.user_text": Origin(None, "prop=revisions of the parent, user"),
    "user.user_text": Origin("revision.editor.user_text", "prop=revisions, user"),
    "user.user_id": Origin("revision.editor.user_id", "prop=revisions, userid"),
    "user.is_temp": Origin("revision.editor.is_temp", "prop=revisions, temp"),
    "user.edit_count": Origin("revision.editor.edit_count", "list=users, editcount"),
    "user.registration_dt": Origin("revision.editor.registration_dt", "list=users, registration"),
}
"""Each field that a feature reads, by its name; `wiki/reader.py` assembles them.

All are there when the edit is saved. The counts of `list=users` are those of the moment of asking:
right for a new edit, too high for an old one, for which `training/` takes them back.
"""
