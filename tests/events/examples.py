"""Events to test with, shaped as a real MediaWiki's."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import PredictionChange, build_prediction
from revision_quality.events.prediction_error import (
    ErrorDetail,
    Outcome,
    PredictionError,
    build_prediction_error,
)
from revision_quality.events.revision_change import (
    TAGS_SCHEMA,
    VISIBILITY_SCHEMA,
    TagsChange,
    VisibilityChange,
)
from revision_quality.events.verdict import Judgement, Verdict, VerdictEvent, build_verdict

MODEL, VERSION = "revertrisk", "1"
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)

ALICE = {
    "user_text": "Alice",
    "user_id": 7,
    "groups": ["*", "user"],
    "edit_count": 600,
    "registration_dt": "2020-01-01T00:00:00Z",
    "is_bot": False,
    "is_temp": False,
}
ADMIN = {"user_text": "Admin", "user_id": 1, "groups": ["*", "user", "sysop"]}


def iso(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}"


def at(seconds: float) -> datetime:
    """A moment, in seconds after the tests' time begins."""
    return START + timedelta(seconds=seconds)


def raw_change(
    kind: str = "edit", rev_id: int = 10, *, second: float = 0, **fields: Any
) -> dict[str, Any]:
    """A page_change event as JSON values; `fields` replace whole top-level fields."""
    moment = iso(at(second))
    changelog = {"create": "insert", "undelete": "insert", "delete": "delete"}.get(kind, "update")
    event: dict[str, Any] = {
        "$schema": "/mediawiki/page/change/1.2.0",
        "meta": {
            "stream": names.PAGE_CHANGE,
            "id": f"00000000-0000-4000-8000-{rev_id:012}",
            "domain": "wiki.example",
            "uri": "https://wiki.example/wiki/Some_page",
            "request_id": "0123456789abcdef01234567",
            "dt": moment,
        },
        "dt": moment,
        "wiki_id": "my_wiki",
        "page_change_kind": kind,
        "changelog_kind": changelog,
        "page": {
            "page_id": 5,
            "page_title": "Some_page",
            "namespace_id": 0,
            "is_redirect": False,
        },
        "performer": ALICE,
        "revision": revision(rev_id, second),
    }
    if kind == "edit":
        event["prior_state"] = {"revision": {"rev_id": rev_id - 1, "rev_size": 100}}
    whole: dict[str, Any] = json.loads(json.dumps(event | fields))
    return whole


def revision(rev_id: int, second: float = 0, **fields: Any) -> dict[str, Any]:
    return {
        "rev_id": rev_id,
        "rev_dt": iso(at(second)),
        "rev_parent_id": rev_id - 1,
        "rev_size": 120,
        "is_minor_edit": False,
        "comment": "typo",
        "editor": ALICE,
        "is_content_visible": True,
        "is_editor_visible": True,
        "is_comment_visible": True,
    } | fields


def page_change(
    kind: str = "edit", rev_id: int = 10, *, second: float = 0, **fields: Any
) -> PageChange:
    return msgspec.convert(raw_change(kind, rev_id, second=second, **fields), PageChange)


def prediction(
    change: PageChange, score: float = 0.25, *, second: float = 1, version: str = VERSION
) -> PredictionChange:
    """The prediction of an edit, received `second` seconds after the tests' time begins."""
    event = build_prediction(
        change,
        stream=names.PREDICTION,
        model_name=MODEL,
        model_version=version,
        score=score,
    )
    return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, dt=at(second)))


def prediction_error(
    change: PageChange,
    reason: str = "page_creation",
    state: Outcome = Outcome.NOT_SCORABLE,
    *,
    second: float = 1,
) -> PredictionError:
    detail = ErrorDetail(
        model_name=MODEL,
        model_version=VERSION,
        state=state,
        reason=reason,
        message=f"It is {reason}.",
    )
    event = build_prediction_error(change, detail)
    return msgspec.structs.replace(event, meta=msgspec.structs.replace(event.meta, dt=at(second)))


def verdict(
    rev_id: int = 10,
    says: str = "fine",
    by: str = "Patroller",
    *,
    second: float = 60,
    comment: str = "",
    replaces: str | None = None,
    page_id: int = 5,
    edited: float = 0,
) -> VerdictEvent:
    """Return a verdict on an edit of my_wiki that was made at the second `edited`."""
    given = Judgement(
        wiki_id="my_wiki", rev_id=rev_id, verdict=Verdict(says), by=by, comment=comment
    )
    return build_verdict(given, at(second), replaces=replaces, page_id=page_id, rev_dt=at(edited))


def tags_change(rev_id: int, tags: list[str], *, second: float = 2, **fields: Any) -> TagsChange:
    event = _revision_change(names.TAGS_CHANGE, TAGS_SCHEMA, rev_id, second)
    return msgspec.convert(event | {"tags": tags} | fields, TagsChange)


def visibility_change(
    rev_id: int,
    *,
    text: bool = True,
    user: bool = True,
    comment: bool = True,
    second: float = 3,
    **fields: Any,
) -> VisibilityChange:
    """A revision whose parts are hidden or shown; hidden parts are absent, as from a wiki."""
    event = _revision_change(names.VISIBILITY_CHANGE, VISIBILITY_SCHEMA, rev_id, second)
    event["visibility"] = {"text": text, "user": user, "comment": comment}
    if not user:
        del event["editor"]
    if not comment:
        del event["comment"]
    return msgspec.convert(event | fields, VisibilityChange)


def _revision_change(stream: str, schema: str, rev_id: int, second: float) -> dict[str, Any]:
    return {
        "$schema": schema,
        "meta": {"stream": stream, "dt": iso(at(second))},
        "dt": iso(at(second)),
        "database": "my_wiki",
        "page_id": 5,
        "page_title": "Some_page",
        "page_namespace": 0,
        "rev_id": rev_id,
        "rev_timestamp": iso(at(0)),
        "rev_parent_id": rev_id - 1,
        "comment": "typo",
        "performer": {"user_text": "Admin", "user_id": 1},
        "editor": {"user_text": "Alice", "user_id": 7},
    }
