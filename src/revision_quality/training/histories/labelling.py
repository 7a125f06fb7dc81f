"""Labelled edits out of page histories: which revisions count, what became of them, a sample.

Left out: page creations, bots, revisions that change nothing (moves, protections), hidden texts or
editors, texts over MAX_TEXT_BYTES, other content models than wikitext, revisions whose parent is
not the revision before or is newer, and those whose fate is unclear (`reverts.Fate`).
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime
from hashlib import blake2b
from pathlib import Path

from msgspec import Struct

from revision_quality.errors import ModelError
from revision_quality.training.labelled import LabelledEdit
from revision_quality.wiki.dump import Tick, read_dump
from revision_quality.wiki.history import HistoryRevision
from revision_quality.wiki.reverts import RADIUS, Fate, fates
from revision_quality.wiki.revision import Page, Parent, Revision, User
from revision_quality.wiki.user_histories import UserHistories, UserHistory

MAX_TEXT_BYTES = 200_000
KEPT_PER_REVERTED = 4.0

_BOT_NAME = re.compile(r"bot(?![^\W\d_])", re.IGNORECASE)


class Choice(Struct, frozen=True, kw_only=True):
    """Which edits to take: `namespaces` None for all, `bots` beside those named as bots are.

    Of the edits that were kept, so many are drawn that there are about `kept_per_reverted` for one
    reverted; the same `seed` draws the same. Namespace 0 is what the revert risk filters of
    Wikimedia's wikis cover.
    """

    namespaces: frozenset[int] | None = frozenset({0})
    bots: frozenset[str] = frozenset()
    kept_per_reverted: float = KEPT_PER_REVERTED
    seed: int = 1
    radius: int = RADIUS
    max_text_bytes: int = MAX_TEXT_BYTES

    def is_bot(self, revision: HistoryRevision) -> bool:
        """Whether a bot made the edit, by the list or by its name.

        Wikimedia's bot policy wants "bot" in the name; that some people are called Talbot costs
        a few examples, a bot taken for a person costs more.
        """
        name = revision.user_text or ""
        return name in self.bots or (not revision.is_anonymous and bool(_BOT_NAME.search(name)))


class Candidate(Struct, frozen=True, kw_only=True):
    """An edit with a label: `label` is 1 for reverted; `first_edit_dt` is the page's."""

    revision: HistoryRevision
    parent: HistoryRevision
    first_edit_dt: datetime
    label: int


class Tally:
    """How many candidates were reverted and kept, and the share of the kept to draw."""

    def __init__(self, choice: Choice) -> None:
        self._choice = choice
        self.reverted = 0
        self.kept = 0

    def count(self, candidate: Candidate) -> None:
        """Count one."""
        self.reverted += candidate.label
        self.kept += 1 - candidate.label

    @property
    def share(self) -> float:
        """The share of the kept edits to draw, 0 to 1."""
        return min(1.0, self._choice.kept_per_reverted * self.reverted / max(self.kept, 1))

    def weight(self, candidate: Candidate) -> float | None:
        """Return the weight that restores the natural rate, None for an edit that is not drawn."""
        if candidate.label:
            return 1.0
        return 1 / self.share if _lot(candidate, self._choice.seed) < self.share else None


def candidates(history: Iterable[HistoryRevision], choice: Choice) -> Iterator[Candidate]:
    """Return the edits of one page, oldest first, that count and have a label."""
    for (parent, revision, first_edit_dt), fate in fates(
        _with_parents(history), lambda item: (item[1].checksum, item[1].user_text), choice.radius
    ):
        if parent is None or fate is Fate.UNCLEAR or not _counts(revision, parent, choice):
            continue
        yield Candidate(
            revision=revision,
            parent=parent,
            first_edit_dt=first_edit_dt,
            label=int(fate is Fate.REVERTED),
        )


def labelled_edits_of_dump(
    path: Path,
    *,
    wiki_id: str | None = None,
    choice: Choice | None = None,
    tick: Tick = lambda _: None,
) -> Iterator[LabelledEdit]:
    """Label the edits of a MediaWiki XML history dump; page by page, memory stays constant.

    The dump is read twice: for the rates and the users' histories, then for the edits. `wiki_id` is
    needed where the dump does not name its wiki (`dbname`). `tick` is told how many bytes of the
    packed file were read, in the end twice its size. Raises DumpError for a file that is no such
    dump or a dump without texts, ModelError for one without a reverted edit.
    """
    choice = choice or Choice()
    tally = Tally(choice)
    with UserHistories() as users:
        for history in read_dump(path, wiki_id, choice.max_text_bytes, tick=tick):
            for candidate in candidates(_noted(history, users), choice):
                tally.count(candidate)
        users.finish()
        if not tally.reverted:
            raise ModelError(
                f"{path}: none of its {tally.kept:,} edits that count was reverted, so there is"
                " nothing to learn; a dump of whole histories (pages-meta-history) is needed."
            )
        size = path.stat().st_size
        again = read_dump(path, wiki_id, choice.max_text_bytes, tick=lambda at: tick(size + at))
        for history in again:
            for candidate in candidates(history, choice):
                weight = tally.weight(candidate)
                if weight is not None:
                    revision = candidate.revision
                    user = users.look_up(revision.user_text or "", revision.timestamp)
                    yield labelled(candidate, weight, user)


def labelled(candidate: Candidate, weight: float, user: UserHistory | None) -> LabelledEdit:
    """Return the labelled edit of a candidate with texts; `user` None leaves the count unknown."""
    revision, parent, page = candidate.revision, candidate.parent, candidate.revision.page
    known = None if revision.is_anonymous else user
    return LabelledEdit(
        Revision(
            wiki_id=page.wiki_id,
            rev_id=revision.rev_id,
            rev_dt=revision.timestamp,
            page=Page(
                title=page.title,
                namespace_id=page.namespace_id,
                first_edit_dt=candidate.first_edit_dt,
            ),
            parent=Parent(
                text=parent.text or "",
                rev_id=parent.rev_id,
                rev_dt=parent.timestamp,
                user_text=parent.user_text,
            ),
            user=User(
                user_text=revision.user_text,
                user_id=0 if revision.is_anonymous else None,
                edit_count=known.prior_edits if known else None,
                registration_dt=known.first_seen if known else None,
            ),
            text=revision.text or "",
            comment=revision.comment,
        ),
        candidate.label,
        weight,
    )


def _noted(history: Iterable[HistoryRevision], users: UserHistories) -> Iterator[HistoryRevision]:
    for revision in history:
        if revision.user_text is not None:
            users.add(revision.user_text, revision.timestamp)
        yield revision


def _with_parents(
    history: Iterable[HistoryRevision],
) -> Iterator[tuple[HistoryRevision | None, HistoryRevision, datetime]]:
    parent: HistoryRevision | None = None
    first_edit_dt: datetime | None = None
    for revision in history:
        first_edit_dt = first_edit_dt or revision.timestamp
        yield parent, revision, first_edit_dt
        parent = revision


def _counts(revision: HistoryRevision, parent: HistoryRevision, choice: Choice) -> bool:
    return (
        (choice.namespaces is None or revision.page.namespace_id in choice.namespaces)
        and revision.user_text is not None
        and not choice.is_bot(revision)
        and _is_readable(revision, choice)
        and _is_readable(parent, choice)
        and revision.checksum != parent.checksum
        and revision.timestamp >= parent.timestamp
        and (revision.parent_id is None or revision.parent_id == parent.rev_id)
    )


def _is_readable(revision: HistoryRevision, choice: Choice) -> bool:
    return (
        revision.checksum is not None
        and revision.is_wikitext
        and revision.size <= choice.max_text_bytes
    )


def _lot(candidate: Candidate, seed: int) -> float:
    """Draw a number from 0 to 1 that is the same in any order of the edits."""
    revision = candidate.revision
    key = f"{seed} {revision.rev_id} {revision.timestamp} {revision.page.title}".encode()
    return int.from_bytes(blake2b(key, digest_size=8).digest(), "big") / 2**64
