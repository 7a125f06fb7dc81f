"""Lift Wing's revert risk requests and answers, written and read without a network.

Source: Wikimedia's inference-services (revert risk servers, KServe 0.15) and KServe's V1 protocol.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import Struct

from revision_quality.errors import InvalidRevisionError
from revision_quality.models.base import Prediction, Unscored
from revision_quality.sites import site_of
from revision_quality.wiki.revision import Revision

BATCH = 20
"""The most revisions that Lift Wing takes in one request, all of one language."""

_STANDARD_CODES = {
    "alswiki": "gsw",
    "bat_smgwiki": "sgs",
    "fiu_vrowiki": "vro",
    "roa_rupwiki": "rup",
    "zh_classicalwiki": "lzh",
    "zh_min_nanwiki": "nan",
    "zh_yuewiki": "yue",
}
"""Where Lift Wing's list of wikis has another code than the domain of the Wikipedia."""

_OF_ONE = re.compile(r"revision (\S+) \([^)]*\)\. Reason: (\w+)")
_REASONS = re.compile(r"Reason: (.*)", re.DOTALL)
_CODE = re.compile(r"[a-z]+(?:_[a-z]+)+")
_UNKNOWN_WIKI = ("lang '", "Language field", "This model is not recommended")
_UNKNOWN_REVISION = "The MW API does not have any info related to the rev-id"

Request = dict[str, Any]


class Answer(Struct, frozen=True):
    """What a server said of each revision, by `str(rev_id)`, and its version where it names one."""

    outcomes: dict[str, Prediction | Unscored]
    version: str | None = None


class _Output(Struct):
    probabilities: dict[str, float]


class _One(Struct):
    revision_id: int | str
    output: _Output
    model_version: str | int | None = None


class _Many(Struct):
    predictions: list[_One]
    errors: list[str] = []


def lang_of(wiki_id: str) -> str | None:
    """Return Lift Wing's `lang` of an open Wikipedia, None for any other wiki."""
    site = site_of(wiki_id)
    return None if site is None else _STANDARD_CODES.get(wiki_id, site.code)


def request_one(rev_id: int, lang: str) -> Request:
    """Return the request for one revision."""
    return {"rev_id": rev_id, "lang": lang}


def request_many(rev_ids: Sequence[int], lang: str) -> Request:
    """Return the request for up to BATCH revisions of one language."""
    return {"instances": [{"rev_id": rev_id, "lang": lang} for rev_id in rev_ids]}


def request_with_text(revision: Revision, lang: str) -> Request:
    """Return the request that carries the texts (`revision_data`).

    Beyond Lift Wing's fields it has `wiki_id` and what is known of the editor, for servers that
    use them. Raises InvalidRevisionError naming a field that Lift Wing requires and that is not
    known of this revision.
    """
    page, parent, user = revision.page, revision.parent, revision.user
    required = {
        "page.id": page.page_id,
        "page.first_edit_timestamp": page.first_edit_dt,
        "parent.id": parent.rev_id,
        "parent.timestamp": parent.rev_dt,
        "user.id": user.user_id,
    }
    missing = [name for name, value in required.items() if value is None]
    if missing:
        raise InvalidRevisionError(
            f"Lift Wing requires {', '.join(missing)}, not known of this revision."
        )
    data = {
        "id": -1 if revision.rev_id is None else revision.rev_id,
        "lang": lang,
        "wiki_id": revision.wiki_id,
        "text": revision.text,
        "comment": revision.comment or "",
        "timestamp": _time(revision.rev_dt),
        "bytes": _size(revision.text),
        "tags": [],
        "page": {
            "id": page.page_id,
            "title": page.title,
            "namespace_id": page.namespace_id,
            "first_edit_timestamp": _time(page.first_edit_dt),
        },
        "parent": {
            "id": parent.rev_id,
            "lang": lang,
            "text": parent.text,
            "timestamp": _time(parent.rev_dt),
            "bytes": _size(parent.text),
            "comment": parent.comment or "",
            "tags": [],
            "user_text": parent.user_text,
        },
        "user": {
            "id": user.user_id,
            "user_text": user.user_text,
            "groups": user.groups,
            "edit_count": user.edit_count,
            "registration_dt": _time(user.registration_dt),
            "is_temp": user.is_temp,
        },
    }
    return {"revision_data": _without_unknown(data)}


def read_answer(body: bytes) -> Answer:
    """Read a 200 answer, of one revision or of many. Raises ValueError if it is neither."""
    value = msgspec.json.decode(body)
    is_batch = isinstance(value, dict) and "predictions" in value
    many = msgspec.convert(value, _Many) if is_batch else _Many([msgspec.convert(value, _One)])
    outcomes = {str(one.revision_id): _outcome(one) for one in many.predictions}
    for message in many.errors:
        found = _OF_ONE.search(message)
        if found:
            outcomes[found[1]] = Unscored(found[2], message, is_final=True)
    versions = [str(one.model_version) for one in many.predictions if one.model_version is not None]
    return Answer(outcomes, versions[-1] if versions else None)


def read_message(body: bytes) -> str:
    """Return the message of an error, from either shape of body; "" where there is none."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(value, dict):
        return ""
    message = value.get("detail") or value.get("error") or ""
    return message if isinstance(message, str) else msgspec.json.encode(message).decode()


def concerns_all(message: str) -> bool:
    """Whether a refusal holds for each revision of its batch: it names the wiki, or one reason."""
    return message.startswith(_UNKNOWN_WIKI) or len(set(_codes(message))) == 1


def refusal(status: int, message: str) -> Unscored:
    """Return why a revision was refused with a 4xx: final, with Lift Wing's reason code."""
    sentence = message or f"The server answers HTTP {status} without a reason."
    codes = _codes(message)
    if codes:
        return Unscored(codes[0], sentence, is_final=True)
    if message.startswith(_UNKNOWN_WIKI):
        return Unscored("wiki_not_supported", sentence, is_final=True)
    if message.startswith(_UNKNOWN_REVISION):
        return Unscored("revision_missing", sentence, is_final=True)
    return Unscored("bad_request" if status == 400 else "refused", sentence, is_final=True)


def _codes(message: str) -> list[str]:
    found = _REASONS.search(message)
    return _CODE.findall(found[1]) if found else []


def _outcome(one: _One) -> Prediction | Unscored:
    score = one.output.probabilities.get("true")
    if score is None or not 0 <= score <= 1:
        return Unscored("bad_answer", f"The server answers the probability {score}.")
    return Prediction(score)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _without_unknown(value: Request) -> Request:
    return {
        key: _without_unknown(item) if isinstance(item, dict) else item
        for key, item in value.items()
        if item is not None
    }
