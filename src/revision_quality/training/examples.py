"""Labelled edits as arrays: features, labels, weights and what to split by."""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from scipy.sparse import csr_array, vstack  # type: ignore[import-untyped]

from revision_quality.models.features import vector
from revision_quality.models.trees import Doubles, Floats
from revision_quality.training import ngrams, peers
from revision_quality.training.labelled import LabelledEdit
from revision_quality.training.metrics import Labels, Mask


class Examples(Struct, frozen=True, kw_only=True):
    """One entry an edit: feature rows, label, natural weight, wiki, time and kind of editor.

    `rows` hold the measured features; `ngrams` is what each learnt one is made of. `peer_rows` are
    the features of the published recipe's imitation for the same edits, None where they were not
    asked for. `times` are Unix seconds.
    """

    rows: Floats
    ngrams: tuple[csr_array, ...]
    labels: Labels
    weights: Doubles
    wikis: npt.NDArray[np.str_]
    times: Doubles
    anonymous: Mask
    peer_rows: Floats | None = None

    def only(self, mask: Mask) -> "Examples":
        """Return the edits that `mask` marks."""
        return Examples(
            rows=self.rows[mask],
            ngrams=tuple(each[mask] for each in self.ngrams),
            labels=self.labels[mask],
            weights=self.weights[mask],
            wikis=self.wikis[mask],
            times=self.times[mask],
            anonymous=self.anonymous[mask],
            peer_rows=None if self.peer_rows is None else self.peer_rows[mask],
        )


def to_examples(edits: Iterable[LabelledEdit], *, with_peer: bool = False) -> Examples:
    """Compute the features of each edit; the texts are not kept."""
    rows, buckets, labels, weights, wikis, times, anonymous, peer_rows = ([] for _ in range(8))
    for edit in edits:
        revision = edit.revision
        values, found = vector.extract(revision)
        rows.append(values)
        buckets.append(found)
        labels.append(edit.label)
        weights.append(edit.weight)
        wikis.append(revision.wiki_id)
        times.append(revision.rev_dt.timestamp())
        anonymous.append(revision.user.is_anonymous or revision.user.is_temp)
        if with_peer:
            peer_rows.append(peers.recipe_features(revision))
    count = len(rows)
    return Examples(
        rows=np.array(rows, np.float32).reshape(count, len(vector.MEASURED)),
        ngrams=tuple(
            ngrams.to_matrix([found[place] for found in buckets])
            for place in range(len(vector.LEARNT))
        ),
        labels=np.array(labels, np.int64),
        weights=np.array(weights, np.float64),
        wikis=np.array(wikis, np.str_),
        times=np.array(times, np.float64),
        anonymous=np.array(anonymous, np.bool_),
        peer_rows=(
            np.array(peer_rows, np.float32).reshape(count, len(peers.RECIPE_NAMES))
            if with_peer
            else None
        ),
    )


def join(parts: Sequence[Examples]) -> Examples:
    """Put examples one after the other."""
    with_peer = [part.peer_rows for part in parts if part.peer_rows is not None]
    return Examples(
        rows=np.concatenate([part.rows for part in parts]),
        ngrams=tuple(
            vstack(each, format="csr")
            for each in zip(*(part.ngrams for part in parts), strict=True)
        ),
        labels=np.concatenate([part.labels for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        wikis=np.concatenate([part.wikis for part in parts]),
        times=np.concatenate([part.times for part in parts]),
        anonymous=np.concatenate([part.anonymous for part in parts]),
        peer_rows=np.concatenate(with_peer) if with_peer else None,
    )


def split(examples: Examples, folds: int, seed: int) -> list[Mask]:
    """Split edits into `folds` groups: of whole wikis, or of one wiki's edits by time."""
    if len(np.unique(examples.wikis)) > 1:
        return wiki_folds(examples.wikis, folds, seed)
    borders = np.quantile(examples.times, np.linspace(0, 1, folds + 1)[1:-1])
    places = np.searchsorted(borders, examples.times)
    return [places == place for place in np.unique(places)]


def wiki_folds(wikis: npt.NDArray[np.str_], folds: int, seed: int) -> list[Mask]:
    """Split wikis into `folds` groups at random; each mask marks the edits of one group."""
    names = np.random.default_rng(seed).permutation(np.unique(wikis))
    groups = [names[start::folds] for start in range(min(folds, len(names)))]
    return [np.isin(wikis, group) for group in groups]


def latest(examples: Examples, share: float) -> Mask:
    """Mark the latest `share` of each wiki's edits, to measure on what comes after training."""
    mask = np.zeros(len(examples.labels), np.bool_)
    for wiki in np.unique(examples.wikis):
        own = examples.wikis == wiki
        mask |= own & (examples.times > np.quantile(examples.times[own], 1 - share))
    return mask


def share_by_wiki(examples: Examples) -> dict[str, tuple[int, int, float]]:
    """Return each wiki's number of edits, of reverted ones, and its natural rate of reverts."""
    shares = {}
    for wiki in np.unique(examples.wikis):
        own = examples.only(examples.wikis == wiki)
        rate = float(np.average(own.labels, weights=own.weights))
        shares[str(wiki)] = len(own.labels), int(own.labels.sum()), rate
    return shares
