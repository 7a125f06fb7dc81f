"""What a client of Lift Wing asks for, read without a network.

Source: Wikimedia's inference-services (revert risk, language-agnostic) and KServe 0.15's V1
protocol: four shapes of request, refusals by status, key and message. Where the original fails
with an error of its own (an empty list of instances, a revision-create event), this answers.
"""

from typing import Any, Literal

import msgspec
from msgspec import Struct

from revision_quality.errors import InvalidEventError, InvalidRevisionError
from revision_quality.events.decoding import MAX_EVENT_BYTES
from revision_quality.events.page_change import SCHEMA_PREFIX, PageChange, decode_page_change
from revision_quality.scoring.rules import is_edit
from revision_quality.web.wiki_names import WikiNames
from revision_quality.wiki.revision_data import (
    RevisionData,
    decode_revision_data,
    read_revision_data,
)

MAX_INSTANCES = 20
MAX_REV_ID = 2**63 - 1

_REVISION_CREATE = ("/mediawiki/revision/create/1", "/mediawiki/revision/create/2")
_NOT_A_DICT = "Please verify that request input is a json dict"
_NOT_RECOMMENDED = (
    "This model is not recommended for use in projects outside of Wikipedia"
    " (e.g. Wiktionary, Wikinews, etc)"
)
_HAS_SUFFIX = "Language field should not have a 'wiki' suffix, i.e. use 'en', not 'enwiki'"

Json = dict[str, Any]


class RefusedRequestError(Exception):
    """A request that gets an error: FastAPI's under the key `detail`, KServe's under `error`."""

    def __init__(self, status: int, key: Literal["error", "detail"], message: str) -> None:
        super().__init__(message)
        self.status = status
        self.key = key


class AskedRevision(Struct, frozen=True):
    """A revision of a request; `shown` is its id as the client wrote it, number or text."""

    rev_id: int
    shown: int | str


class ByIds(Struct, frozen=True):
    """Revisions of one wiki, each once; `lang` as the client wrote it."""

    wiki_id: str
    lang: str
    revisions: tuple[AskedRevision, ...]
    is_batch: bool = False


class ByEvent(Struct, frozen=True):
    """The edit of a page_change event."""

    change: PageChange
    lang: str


class ByText(Struct, frozen=True):
    """A revision with its texts, saved or not."""

    data: RevisionData
    wiki_id: str


Asked = ByIds | ByEvent | ByText


def read_request(body: bytes, names: WikiNames, wiki_id: str | None, *, is_json: bool) -> Asked:
    """Read a request; `wiki_id` is the wiki that the model's name has, then `lang` may be absent.

    `is_json` says whether the content type is JSON's: the body may come without, as the ORES
    extension sends it. Raises RefusedRequestError.
    """
    inputs = _read_json(body, is_json=is_json)
    if "instances" in inputs and not isinstance(inputs["instances"], list):
        raise _error('Expected "instances" to be a list')
    if "revision_data" in inputs:
        return _by_text(inputs["revision_data"], names, wiki_id)
    if "instances" in inputs:
        return _by_instances(inputs["instances"], names, wiki_id)
    if "event" in inputs:
        return _by_event(inputs["event"], names)
    lang, revision = _one(inputs, names, wiki_id)
    return ByIds(_wiki_of(lang, names, wiki_id), lang or wiki_id or "", (revision,))


def read_text(body: bytes, names: WikiNames, wiki_id: str | None) -> ByText | None:
    """Read a request with `revision_data` as `read_request` does, faster; None for any other."""
    data = decode_revision_data(body)
    return _text_of(data, names, wiki_id) if data else None


def _read_json(body: bytes, *, is_json: bool) -> Json:
    try:
        inputs = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message = f"Unrecognized request format: {error}" if is_json else _NOT_A_DICT
        raise _error(message) from error
    if not isinstance(inputs, dict):
        raise _error(_NOT_A_DICT)
    return inputs


def _by_text(value: object, names: WikiNames, wiki_id: str | None) -> ByText:
    try:
        data = read_revision_data(value)
    except InvalidRevisionError as error:
        raise _detail(str(error)) from error
    return _text_of(data, names, wiki_id)


def _text_of(data: RevisionData, names: WikiNames, wiki_id: str | None) -> ByText:
    called = names.called(data.lang)
    is_one = len(called) == 1
    own = called[0] if is_one else data.revision.wiki_id
    return ByText(data, wiki_id or data.wiki_id or own)


def _by_instances(instances: list[object], names: WikiNames, wiki_id: str | None) -> ByIds:
    if not instances:
        raise _error('Expected "instances" to have at least one item')
    if len(instances) > MAX_INSTANCES:
        raise _detail(f"Only accept a maximum of {MAX_INSTANCES} rev_ids in the request.")
    found = [_one(instance, names, wiki_id) for instance in instances]
    langs = {lang for lang, _ in found}
    if len(langs) > 1:
        raise _detail("Requesting multiple revisions should have the same language.")
    (lang,) = langs
    revisions = tuple({revision.rev_id: revision for _, revision in found}.values())
    return ByIds(_wiki_of(lang, names, wiki_id), lang or wiki_id or "", revisions, is_batch=True)


def _one(inputs: object, names: WikiNames, wiki_id: str | None) -> tuple[str | None, AskedRevision]:
    if not isinstance(inputs, dict):
        raise _error("Expected each instance to be an object with lang and rev_id")
    lang, rev_id = inputs.get("lang"), inputs.get("rev_id")
    if wiki_id is None:
        if lang is None or (lang == "" and not names.called("")):
            raise _error("The parameter lang is required.")
        if not isinstance(lang, str):
            raise _error('Expected "lang" to be a string.')
    return None if wiki_id else lang, _revision(rev_id)


def _revision(rev_id: object) -> AskedRevision:
    if not rev_id:
        raise _error("The parameter rev_id is required.")
    number = rev_id
    if isinstance(rev_id, str) and rev_id.isascii() and rev_id.isdecimal() and len(rev_id) < 20:
        number = int(rev_id)
    if type(number) is not int or not 0 < number <= MAX_REV_ID:
        raise _error("The parameter rev_id is no revision id: a whole number above 0.")
    return AskedRevision(number, rev_id if isinstance(rev_id, str) else number)


def _wiki_of(lang: str | None, names: WikiNames, wiki_id: str | None) -> str:
    if wiki_id is not None:
        return wiki_id
    assert lang is not None
    called = names.called(lang)
    if len(called) > 1:
        raise _detail(
            f"lang '{lang}' may be any of {', '.join(called)} here:"
            " ask the model that has the wiki's name in front, such as"
            f" {called[0]}-revertrisk-language-agnostic."
        )
    if not called:
        if lang.endswith("wiki"):
            raise _detail(_HAS_SUFFIX)
        raise _detail(f"lang '{lang}' does not exist in the canonical Wikipedia language list.")
    if called[0] not in names:
        raise _detail(_not_configured(called[0]))
    return called[0]


def _by_event(event: object, names: WikiNames) -> ByEvent | ByIds:
    if not isinstance(event, dict):
        raise _error('Expected "event" to be an object')
    schema = event.get("$schema")
    if not isinstance(schema, str):
        raise _error('Missing "lang" in input data.')
    if schema.startswith(SCHEMA_PREFIX):
        wiki_id = event.get("wiki_id")
        revision = event.get("revision")
        rev_id = revision.get("rev_id") if isinstance(revision, dict) else None
    elif schema.startswith(_REVISION_CREATE):
        wiki_id, rev_id = event.get("database"), event.get("rev_id")
    else:
        raise _error(f"Unsupported event of schema {schema}, the lang value cannot be determined.")
    if not isinstance(wiki_id, str):
        raise _error('Missing "lang" in input data.')
    if rev_id is None:
        raise _error('Missing "rev_id" in input data.')
    domain = _domain(event)
    if domain == "canary":
        raise _detail("This is a canary event, which is about no edit.")
    if wiki_id not in names:
        raise _detail(_not_configured(wiki_id) if "wikipedia" in domain else _NOT_RECOMMENDED)
    asked = _revision(rev_id)
    lang = wiki_id.removesuffix("wiki")
    raw = msgspec.json.encode(event)
    if len(raw) > MAX_EVENT_BYTES:
        raise RefusedRequestError(
            413, "error", f"The event is larger than the limit of {MAX_EVENT_BYTES:,} bytes."
        )
    if schema.startswith(SCHEMA_PREFIX):
        change = _page_change(raw)
        if is_edit(change):
            return ByEvent(change, lang)
    return ByIds(wiki_id, lang, (asked,))


def _page_change(raw: bytes) -> PageChange:
    try:
        return decode_page_change(raw)
    except InvalidEventError as error:
        raise _error(f"The event cannot be read: {error}") from error


def _domain(event: Json) -> str:
    meta = event.get("meta")
    domain = meta.get("domain") if isinstance(meta, dict) else None
    return domain if isinstance(domain, str) else ""


def _not_configured(wiki_id: str) -> str:
    return f"The wiki {wiki_id} is not configured here: add a [[wikis]] block for it."


def _error(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "error", message)


def _detail(message: str) -> RefusedRequestError:
    return RefusedRequestError(400, "detail", message)
