"""The feature vector of the shipped model: one list of features, one function."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from revision_quality.models.features import change, letters, ngrams, size, summary, who, wording
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


class Vectors(NamedTuple):
    """The values of MEASURED, a row an edit, and the n-grams of which a model makes each LEARNT."""

    values: npt.NDArray[np.float32]
    ngrams: tuple[ngrams.Found, ...]

    def with_learnt(self, log_odds: Sequence[npt.NDArray[np.float64]]) -> npt.NDArray[np.float32]:
        """Return the values of FEATURES, a row an edit, LEARNT being `log_odds`."""
        rows = np.empty((len(self.values), len(FEATURES)), np.float32)
        rows[:, : len(MEASURED)] = self.values
        for place, each in enumerate(log_odds, len(MEASURED)):
            rows[:, place] = each
        return rows


class Vector(NamedTuple):
    """The same of one edit."""

    values: npt.NDArray[np.float32]
    ngrams: tuple[ngrams.Buckets, ...]


def extract_all(revisions: Sequence[Revision]) -> Vectors:
    """Measure `revisions`, one at least: each as if it were alone, at less cost.

    Linear in the length of all texts. Any text is taken: unbalanced, binary or empty.
    """
    changes = [change.compare(revision.parent.text, revision.text) for revision in revisions]
    spelt = letters.measure(list(zip(revisions, changes, strict=True)))
    values = [
        (
            *who.measure(revision),
            *summary.measure(revision),
            *size.measure(revision, changed),
            *wording.measure(revision, changed, written),
        )
        for revision, changed, written in zip(revisions, changes, spelt, strict=True)
    ]
    read = (
        *(changed.added_text for changed in changes),
        *(changed.removed_text for changed in changes),
        *(" ".join(summary.words(revision.comment)) for revision in revisions),
    )
    return Vectors(np.array(values, np.float32), ngrams.find(read).split(len(LEARNT)))


def extract(revision: Revision) -> Vector:
    """Measure one revision."""
    measured = extract_all([revision])
    return Vector(measured.values[0], tuple(found.buckets for found in measured.ngrams))
