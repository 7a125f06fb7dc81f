"""The feature vector of the shipped model: one list of features, one function."""

import numpy as np
import numpy.typing as npt

from revision_quality.models.features import change, size, summary, who, wording
from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

VERSION = "4"
FEATURES: tuple[Feature, ...] = (
    *who.FEATURES,
    *summary.FEATURES,
    *size.FEATURES,
    *wording.FEATURES,
)
NAMES = tuple(feature.name for feature in FEATURES)


def extract(revision: Revision) -> npt.NDArray[np.float32]:
    """Return the values of FEATURES for `revision`, in their order.

    Linear in the length of both texts. Any text is taken: unbalanced, binary or empty.
    """
    changed = change.compare(revision.parent.text, revision.text)
    return np.array(
        (
            *who.measure(revision),
            *summary.measure(revision),
            *size.measure(revision, changed),
            *wording.measure(revision, changed),
        ),
        np.float32,
    )
