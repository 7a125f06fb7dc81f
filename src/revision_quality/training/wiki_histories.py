"""Labelled edits of a wiki's own pages, read through its API."""

import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import datetime
from typing import IO

import msgspec
from msgspec.structs import replace

from revision_quality.errors import ModelError
from revision_quality.training.histories.labelling import (
    Candidate,
    Choice,
    Tally,
    candidates,
    labelled,
)
from revision_quality.training.histories.revision import (
    HistoryPage,
    HistoryRevision,
    is_temporary_name,
)
from revision_quality.training.histories.users import UserHistories
from revision_quality.training.labelled import LabelledEdit
from revision_quality.wiki.client import ActionApi, Answer

EDITS_AT_ONCE = 25
"""With their parents, 50 revisions: what one request may name."""

_ALL_NAMESPACES = tuple(range(16))
"""The namespaces of MediaWiki itself; those that extensions add must be chosen by number."""


async def labelled_edits_of_wiki(
    api: ActionApi,
    wiki_id: str,
    *,
    titles: Sequence[str] | None = None,
    choice: Choice | None = None,
) -> AsyncIterator[LabelledEdit]:
    """Label the edits of the pages named by `titles`, or of the whole wiki.

    First the histories are read without texts, by their checksums; then the texts of the edits
    drawn. Memory holds one page's history without texts; what is drawn from waits in a temporary
    file. The users' edit
    counts are known only where the whole wiki is read; with `titles` they are left unknown. The
    wiki's accounts with the group `bot` count as bots. Raises WikiError, and ModelError if no edit
    was reverted.
    """
    choice = choice or Choice()
    choice = replace(choice, bots=choice.bots | await _bots(api))
    tally = Tally(choice)
    with UserHistories() as users, tempfile.TemporaryFile() as spool:
        pages = _named(titles) if titles is not None else _all_titles(api, choice)
        async for title in pages:
            history = [one async for one in _history(api, wiki_id, title)]
            for revision in history:
                if revision.user_text is not None:
                    users.add(revision.user_text, revision.timestamp)
            _put(spool, candidates(history, choice), tally)
        users.finish()
        if not tally.reverted:
            raise ModelError(
                f"{api.api_url}: none of the {tally.kept:,} edits that count was reverted, so there"
                " is nothing to learn; read more pages."
            )
        for batch in _batches(_drawn(spool, tally)):
            texts = await _texts(api, [candidate for candidate, _ in batch])
            for candidate, weight in batch:
                whole = _with_texts(candidate, texts)
                if whole is None:
                    continue
                user_text, moment = candidate.revision.user_text or "", candidate.revision.timestamp
                user = users.look_up(user_text, moment) if titles is None else None
                yield labelled(whole, weight, user)


async def _bots(api: ActionApi) -> frozenset[str]:
    answers = api.query(list="allusers", augroup="bot", aulimit="max")
    return frozenset(
        [user["name"] async for answer in answers for user in answer["query"]["allusers"]]
    )


async def _named(titles: Sequence[str]) -> AsyncIterator[str]:
    for title in titles:
        yield title


async def _all_titles(api: ActionApi, choice: Choice) -> AsyncIterator[str]:
    for namespace in sorted(choice.namespaces or _ALL_NAMESPACES):
        answers = api.query(list="allpages", apnamespace=namespace, aplimit="max")
        async for answer in answers:
            for page in answer["query"]["allpages"]:
                yield page["title"]


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
        for page in answer.get("query", {}).get("pages", ()):
            where = HistoryPage(wiki_id=wiki_id, title=page["title"], namespace_id=page["ns"])
            for revision in page.get("revisions", ()):
                yield _revision(where, revision)


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
        is_wikitext=slot.get("contentmodel", "wikitext") == "wikitext",
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
