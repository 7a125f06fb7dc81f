"""Labelled edits of a wiki's own pages, read through its API."""

import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from hashlib import blake2b
from typing import IO

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.errors import ModelError
from revision_quality.events.page_change import UserEntity
from revision_quality.training.histories.labelling import (
    Candidate,
    Choice,
    Tally,
    candidates,
    labelled,
)
from revision_quality.training.labelled import LabelledEdit
from revision_quality.wiki.client import ActionApi, Answer, reading
from revision_quality.wiki.history import (
    WIKITEXT,
    HistoryPage,
    HistoryRevision,
    is_temporary_name,
)
from revision_quality.wiki.siteinfo import BATCH
from revision_quality.wiki.user_histories import UserHistories, UserHistory
from revision_quality.wiki.users import Users

EDITS_AT_ONCE = 25
"""With their parents, 50 revisions: what one request may name."""


class Step(Struct, frozen=True):
    """How far a part of the reading is: `done` of `total`, None where nobody knows the total."""

    name: str
    done: int
    total: int | None = None


Tick = Callable[[Step], None]


class Span(Struct, frozen=True, kw_only=True):
    """Which edits of a wiki to read: those made `since` then, and about `edits` that count.

    None stands for all. For less than all, pages are drawn at random, the same for the same seed.
    """

    since: datetime | None = None
    edits: int | None = None


async def labelled_edits_of_wiki(
    api: ActionApi,
    wiki_id: str,
    *,
    titles: Sequence[str] | None = None,
    span: Span | None = None,
    choice: Choice | None = None,
    tick: Tick = lambda _: None,
) -> AsyncIterator[LabelledEdit]:
    """Label the edits of the pages named by `titles`, or of the whole wiki.

    First the wiki's revisions are listed, for the pages and the users' edits; then the histories of
    the pages are read without texts, by their checksums; then the texts of the edits drawn. Memory
    holds the titles and one page's history without texts; what is drawn from waits in a temporary
    file. A user's edit count at an edit is the wiki's own count without the edits made since, the
    registration is the wiki's: what a score is made from when the edit is new. With `titles` they
    are left unknown. The wiki's accounts with the group `bot` count as bots. Raises WikiError, and
    ModelError if no edit was reverted.
    """
    span = span or Span()
    choice = choice or Choice()
    choice = replace(choice, bots=choice.bots | await _bots(api))
    tally = Tally(choice)
    with ExitStack() as stack:
        users = stack.enter_context(UserHistories())
        spool = stack.enter_context(tempfile.TemporaryFile())
        whole = titles is None
        named = await _survey(api, users, span, choice, tick) if titles is None else list(titles)
        users.finish()
        for number, title in enumerate(named, 1):
            history = [one async for one in _history(api, wiki_id, title)]
            _put(spool, _within(span, candidates(history, choice)), tally)
            tick(Step("Pages", number, len(named)))
            if span.edits is not None and tally.kept + tally.reverted >= span.edits:
                break
        if not tally.reverted:
            raise ModelError(
                f"{api.api_url}: none of the {tally.kept:,} edits that count was reverted, so there"
                " is nothing to learn; read more of the wiki."
            )
        tick(Step("Pages", len(named), len(named)))
        async for edit in _with_users(api, _read(api, spool, tally, tick), users, whole=whole):
            yield edit


async def _read(
    api: ActionApi, spool: IO[bytes], tally: Tally, tick: Tick
) -> AsyncIterator[list[tuple[Candidate, float]]]:
    """Draw candidates, and give them their texts; those hidden in between are left out."""
    expected = tally.reverted + round(tally.kept * tally.share)
    done = 0
    for batch in _batches(_drawn(spool, tally)):
        texts = await _texts(api, [candidate for candidate, _ in batch])
        found = [(_with_texts(candidate, texts), weight) for candidate, weight in batch]
        done += len(batch)
        tick(Step("Texts", min(done, expected), expected))
        yield [(candidate, weight) for candidate, weight in found if candidate is not None]


async def _with_users(
    api: ActionApi,
    batches: AsyncIterator[list[tuple[Candidate, float]]],
    users: UserHistories,
    *,
    whole: bool,
) -> AsyncIterator[LabelledEdit]:
    known = Users(api, BATCH)
    async for batch in batches:
        names = {one.revision.user_text or "" for one, _ in batch if not one.revision.is_anonymous}
        accounts = await known.read(names) if whole else {}
        for candidate, weight in batch:
            yield labelled(candidate, weight, _past(candidate.revision, accounts, users))


def _past(
    revision: HistoryRevision, accounts: Mapping[str, UserEntity], users: UserHistories
) -> UserHistory | None:
    """Return what the wiki would have told of the editor when the edit was made."""
    name = revision.user_text or ""
    account = accounts.get(name)
    if account is None or account.edit_count is None:
        return None
    since = users.edits_from(name, revision.timestamp)
    return UserHistory(max(account.edit_count - since, 0), account.registration_dt)


def _within(span: Span, found: Iterable[Candidate]) -> Iterator[Candidate]:
    since = span.since
    return (one for one in found if since is None or one.revision.timestamp >= since)


async def _survey(
    api: ActionApi, users: UserHistories, span: Span, choice: Choice, tick: Tick
) -> list[str]:
    """Take note of who edited when, on all pages; return the titles of those to read."""
    total = await _revision_count(api) if span.since is None else None
    titles: dict[int, str] = {}
    done = 0
    answers = api.query(
        list="allrevisions",
        arvdir="newer",
        arvstart=span.since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if span.since else None,
        arvlimit="max",
        arvprop=["ids", "timestamp", "user"],
    )
    async for answer in answers:
        with reading(api.api_url, "revisions"):
            for page in answer.get("query", {}).get("allrevisions", ()):
                if choice.namespaces is None or page["ns"] in choice.namespaces:
                    titles[page["pageid"]] = page["title"]
                for revision in page["revisions"]:
                    done += 1
                    if "user" in revision and not revision.get("userhidden"):
                        users.add(
                            revision["user"], msgspec.convert(revision["timestamp"], datetime)
                        )
        tick(Step("Revisions", done, max(done, total) if total else None))
    tick(Step("Revisions", done, done))
    named = list(titles.values())
    return named if span.edits is None else sorted(named, key=lambda one: _lot(one, choice.seed))


def _lot(title: str, seed: int) -> bytes:
    return blake2b(f"{seed} {title}".encode(), digest_size=8).digest()


async def _revision_count(api: ActionApi) -> int:
    answer = await api.get(action="query", meta="siteinfo", siprop="statistics")
    with reading(api.api_url, "statistics"):
        return int(answer["query"]["statistics"]["edits"])


async def _bots(api: ActionApi) -> frozenset[str]:
    answers = api.query(list="allusers", augroup="bot", aulimit="max")
    found: set[str] = set()
    async for answer in answers:
        with reading(api.api_url, "users"):
            found |= {user["name"] for user in answer["query"]["allusers"]}
    return frozenset(found)


async def _history(api: ActionApi, wiki_id: str, title: str) -> AsyncIterator[HistoryRevision]:
    answers = api.query(
        prop="revisions",
        titles=[title],
        rvdir="newer",
        rvlimit="max",
        rvslots="main",
        rvprop=["ids", "timestamp", "user", "userid", "comment", "size", "sha1", "contentmodel"],
    )
    async for answer in answers:
        with reading(api.api_url, "revisions"):
            found = [
                _revision(_page(wiki_id, page), revision)
                for page in answer.get("query", {}).get("pages", ())
                for revision in page.get("revisions", ())
            ]
        for revision in found:
            yield revision


def _page(wiki_id: str, page: Answer) -> HistoryPage:
    return HistoryPage(wiki_id=wiki_id, title=page["title"], namespace_id=page["ns"])


def _revision(page: HistoryPage, revision: Answer) -> HistoryRevision:
    slot = revision.get("slots", {}).get("main", {})
    user = None if revision.get("userhidden") else revision.get("user")
    is_hidden = revision.get("texthidden") or revision.get("sha1hidden")
    is_anonymous = bool(revision.get("anon") or revision.get("temp"))
    return HistoryRevision(
        page=page,
        rev_id=revision["revid"],
        parent_id=revision["parentid"],
        timestamp=msgspec.convert(revision["timestamp"], datetime),
        user_text=user,
        is_anonymous=is_anonymous or (user is not None and is_temporary_name(user)),
        comment=None if revision.get("commenthidden") else revision.get("comment", ""),
        checksum=None if is_hidden else revision.get("sha1") or None,
        size=revision.get("size", 0),
        content_model=slot.get("contentmodel", WIKITEXT),
    )


def _put(spool: IO[bytes], found: Iterable[Candidate], tally: Tally) -> None:
    for candidate in found:
        tally.count(candidate)
        spool.write(msgspec.json.encode(candidate) + b"\n")


def _drawn(spool: IO[bytes], tally: Tally) -> Iterator[tuple[Candidate, float]]:
    decoder = msgspec.json.Decoder(Candidate)
    spool.seek(0)
    for line in spool:
        candidate = decoder.decode(line)
        weight = tally.weight(candidate)
        if weight is not None:
            yield candidate, weight


def _batches(
    drawn: Iterable[tuple[Candidate, float]],
) -> Iterator[list[tuple[Candidate, float]]]:
    batch: list[tuple[Candidate, float]] = []
    for item in drawn:
        batch.append(item)
        if len(batch) == EDITS_AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


async def _texts(api: ActionApi, wanted: Sequence[Candidate]) -> dict[int, str]:
    rev_ids = sorted(
        {
            rev_id
            for candidate in wanted
            for rev_id in (candidate.revision.rev_id, candidate.parent.rev_id)
            if rev_id is not None
        }
    )
    texts: dict[int, str] = {}
    answers = api.query(prop="revisions", revids=rev_ids, rvprop=["ids", "content"], rvslots="main")
    async for answer in answers:
        with reading(api.api_url, "revisions"):
            for page in answer.get("query", {}).get("pages", ()):
                for revision in page.get("revisions", ()):
                    slot = revision.get("slots", {}).get("main", {})
                    if "content" in slot and not slot.get("texthidden"):
                        texts[revision["revid"]] = slot["content"]
    return texts


def _with_texts(candidate: Candidate, texts: dict[int, str]) -> Candidate | None:
    """Return the candidate with its texts; None where one has been hidden in between."""
    text = texts.get(candidate.revision.rev_id or 0)
    parent_text = texts.get(candidate.parent.rev_id or 0)
    if text is None or parent_text is None:
        return None
    return replace(
        candidate,
        revision=replace(candidate.revision, text=text),
        parent=replace(candidate.parent, text=parent_text),
    )
