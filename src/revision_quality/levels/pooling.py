"""Which edits a wiki's levels are chosen on: its own, or those of wikis like it as well."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.levels.choosing import LEAST_REVERTED, Evidence, grouped
from revision_quality.levels.counts import BINS, Counts, Label, total

LEAST_WIKIS = 4
"""Other wikis at least, so that it shows how much wikis differ."""

MOST_WIKIS = 12

_COARSE = 20
_LEAST_SHARE = 1e-4


class Profile(Struct, frozen=True):
    """What is to be known of a wiki to choose those that are alike.

    `shares` are those of its edits whose score is in each of _COARSE bins of equal width, none
    below _LEAST_SHARE; `reverted` is how many of its edits were reverted.
    """

    shares: tuple[float, ...]
    reverted: int


def profile_of(by_bin: npt.ArrayLike, reverted: int) -> Profile:
    """Return the profile of a wiki of which `by_bin` are the edits by score, in BINS bins.

    A wiki without edits is as unlike as any other.
    """
    edits = np.asarray(by_bin, float).reshape(_COARSE, BINS // _COARSE).sum(1)
    shares = edits / edits.sum() if edits.sum() else np.full(_COARSE, 1 / _COARSE)
    return Profile(tuple(np.maximum(shares, _LEAST_SHARE)), reverted)


def gather(
    wiki_id: str,
    days: Sequence[Counts],
    others: Callable[[], Mapping[str, Profile]],
    counts_of: Callable[[str], Counts],
) -> Evidence | str:
    """Return what the levels of a wiki are to be chosen on, or a sentence why there is nothing.

    `days` are the counts of the wiki, one after another. Where it has fewer than LEAST_REVERTED
    reverted edits those of `others` whose scores are spread most alike are counted as well, by
    `counts_of`, each at the same weight, until they are enough.
    """
    own = total(days)
    reverted = own.number(Label.REVERTED)
    if reverted >= LEAST_REVERTED and len(periods := grouped(days)) > 2:
        return Evidence(periods, own)
    mine = profile_of(own.mass.sum((0, 1)), reverted)
    there = {name: each for name, each in others().items() if each.reverted and name != wiki_id}
    chosen = _nearest(mine, there)
    if chosen is None:
        return (
            f"{reverted} reverted edits of {wiki_id} have a settled label, {LEAST_REVERTED} are"
            " needed, and the other wikis together have not enough either"
        )
    alike = [_at_one_weight(counts_of(name)) for name in chosen]
    weighed = [_at_one_weight(own)] if own.mass.sum() > 0 else []
    return Evidence((*weighed, *alike), own, tuple(chosen))


def _nearest(mine: Profile, others: Mapping[str, Profile]) -> list[str] | None:
    ranked = sorted(others, key=lambda name: (unlikeness(mine, others[name]), name))
    for number in range(LEAST_WIKIS, min(len(ranked), MOST_WIKIS) + 1):
        found = sum(others[name].reverted for name in ranked[:number])
        if mine.reverted + found >= LEAST_REVERTED:
            return ranked[:number]
    return None


def unlikeness(one: Profile, other: Profile) -> float:
    """Return the population stability index of two distributions of scores, 0 for the same."""
    shares, others = np.array(one.shares), np.array(other.shares)
    return float(((shares - others) * np.log(shares / others)).sum())


def _at_one_weight(counts: Counts) -> Counts:
    return counts.scaled(1 / float(counts.mass.sum()))
