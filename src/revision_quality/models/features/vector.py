"""The feature vector of the shipped model: one list of features, one function."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from revision_quality.models.features import change, ngrams, size, summary, who, wording
from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

VERSION = "6"
MEASURED: tuple[Feature, ...] = (
    *who.FEATURES,
    *summary.FEATURES,
    *size.FEATURES,
    *wording.FEATURES,
)
LEARNT = (
    Feature(
        "added_text_odds",
        "by how much the character n-grams of the words put in move the log odds of a revert, with"
        " weights that the model learnt for them; 0 where no word is put in",
        "log odds",
        "text, parent.text",
        low=-float("inf"),
    ),
    Feature(
        "removed_text_odds",
        "the same of the words taken away; 0 where none is",
        "log odds",
        "text, parent.text",
        low=-float("inf"),
    ),
    Feature(
        "comment_odds",
        "the same of the edit summary's words without MediaWiki's /* section */ mark; 0 where there"
        " is none",
        "log odds",
        "comment",
        low=-float("inf"),
    ),
)
FEATURES = (*MEASURED, *LEARNT)
NAMES = tuple(feature.name for feature in FEATURES)


class Vector(NamedTuple):
    """The values of MEASURED in their order, and the n-grams of which a model makes each LEARNT."""

    values: npt.NDArray[np.float32]
    ngrams: tuple[ngrams.Buckets, ...]

    def with_learnt(self, log_odds: Sequence[float]) -> npt.NDArray[np.float32]:
        """Return the values of FEATURES, LEARNT being `log_odds`."""
        return np.concatenate((self.values, np.array(log_odds, np.float32)))


def extract(revision: Revision) -> Vector:
    """Measure `revision`.

    Linear in the length of both texts. Any text is taken: unbalanced, binary or empty.
    """
    changed = change.compare(revision.parent.text, revision.text)
    values = np.array(
        (
            *who.measure(revision),
            *summary.measure(revision),
            *size.measure(revision, changed),
            *wording.measure(revision, changed),
        ),
        np.float32,
    )
    read = (changed.added.elements(), changed.removed.elements(), summary.words(revision.comment))
    return Vector(values, ngrams.buckets(read))
