"""The Revert Risk model that the package ships."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Self

import numpy as np

from revision_quality.errors import ModelError
from revision_quality.levels.level import Level
from revision_quality.models.artifact import Artifact, load
from revision_quality.models.base import Prediction, Unscored
from revision_quality.models.contributions import Paths
from revision_quality.models.features import vector
from revision_quality.models.forest import Forest
from revision_quality.models.reasons import Reason, reason
from revision_quality.models.trees import Floats
from revision_quality.wiki.revision import Revision

MAX_TEXT_BYTES = 2_000_000
SHIPPED = "revert_risk.npz"

_BLOCK = 32
"""Edits measured together: numpy's calls are then cheap, and their arrays stay in cache."""

INLINE_CHARACTERS = 100_000
"""Texts up to this length, both together, are scored in the calling thread: that takes up to 5 ms,
for which a Python thread holds the interpreter in any case (`sys.getswitchinterval`), so that the
event loop would wait no shorter for a thread. With a thread for each, a server under load answers
half as many (`benchmarks/predict.py`)."""


def _is_too_large(text: str) -> bool:
    """Whether `text` has more than MAX_TEXT_BYTES bytes in UTF-8; encodes only where in doubt."""
    if len(text) * 4 <= MAX_TEXT_BYTES:
        return False
    if len(text) > MAX_TEXT_BYTES:
        return True
    return len(text.encode("utf-8", "surrogatepass")) > MAX_TEXT_BYTES


def _refusal(revision: Revision) -> Unscored | None:
    """Say why `revision` gets no score, None where it gets one."""
    for what, text in (("text", revision.text), ("parent's text", revision.parent.text)):
        if _is_too_large(text):
            return Unscored(
                "text_too_large",
                f"The {what} is larger than {MAX_TEXT_BYTES:,} bytes, the most that this model"
                " reads.",
                is_final=True,
            )
    return None


def read_model_file(path: Path | None = None) -> tuple[bytes, str]:
    """Return a model file's content, None for the one in the package, and a name for messages.

    Raises ModelError.
    """
    if path is None:
        source = resources.files("revision_quality.models") / "data" / SHIPPED
        return source.read_bytes(), SHIPPED
    try:
        return path.read_bytes(), str(path)
    except OSError as error:
        raise ModelError(f"{path}: the model file cannot be read ({error.strerror}).") from error


class RevertRisk:
    """P(reverted) of an edit from language-agnostic features by boosted trees.

    The score is calibrated to the natural rate over all wikis. Instances hold no state beside the
    model and can be used from several threads at once.
    """

    def __init__(self, artifact: Artifact) -> None:
        header = artifact.header
        if header.features != vector.NAMES or header.features_version != vector.VERSION:
            raise ModelError(
                f"model {header.version} is for features version {header.features_version}, this"
                f" revq computes version {vector.VERSION}; train it anew with `revq train`."
            )
        self._artifact = artifact
        self._forest = Forest.of(artifact.trees)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="revert-risk")

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Load a model file, None for the one in the package. Raises ModelError."""
        return cls(load(*read_model_file(path)))

    @property
    def name(self) -> str:
        """The name that clients of Lift Wing ask for."""
        return self._artifact.header.name

    @property
    def version(self) -> str:
        """The version of this model file, at most 32 characters."""
        return self._artifact.header.version

    @property
    def levels(self) -> tuple[Level, ...]:
        """The default levels, measured on wikis that the measured model had not seen."""
        return self._artifact.header.levels

    @property
    def artifact(self) -> Artifact:
        """The model file's content."""
        return self._artifact

    def score(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
        """Score `revisions` in the calling thread: one answer each, in their order."""
        refusals = list(map(_refusal, revisions))
        accepted = [
            revision
            for revision, refusal in zip(revisions, refusals, strict=True)
            if refusal is None
        ]
        scores = (
            score
            for start in range(0, len(accepted), _BLOCK)
            for score in self._scores(accepted[start : start + _BLOCK])
        )
        return [Prediction(next(scores)) if refusal is None else refusal for refusal in refusals]

    def explain(self, revision: Revision, most: int = 5) -> tuple[Reason, ...]:
        """Return the `most` features that moved the score of `revision` most, strongest first.

        Contributions are exact for the model's trees. Empty for a revision that `score` refuses.
        """
        if _refusal(revision) is not None:
            return ()
        row = self._row(revision)
        contributions = self._paths.contributions(row)
        strongest = np.argsort(-np.abs(contributions), kind="stable")[:most]
        return tuple(
            reason(vector.FEATURES[i], float(row[i]), float(contributions[i]))
            for i in strongest.tolist()
            if contributions[i]
        )

    @cached_property
    def _paths(self) -> Paths:
        return Paths.of(self._artifact.trees)

    def _row(self, revision: Revision) -> Floats:
        row: Floats = self._artifact.rows(vector.extract_all([revision]))[0]
        return row

    async def predict(self, revisions: Sequence[Revision]) -> list[Prediction | Unscored]:
        """Score `revisions`: what takes long in the thread of the model, one call at a time."""
        length = sum(len(revision.text) + len(revision.parent.text) for revision in revisions)
        if length <= INLINE_CHARACTERS:
            return self.score(revisions)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self.score, revisions)

    def predict_at_once(self, revision: Revision) -> Prediction | None:
        """Score one revision, None where `predict` takes a thread for it or refuses it."""
        if len(revision.text) + len(revision.parent.text) > INLINE_CHARACTERS:
            return None
        [answer] = self.score([revision])
        return answer if isinstance(answer, Prediction) else None

    def _scores(self, revisions: Sequence[Revision]) -> list[float]:
        rows = self._artifact.rows(vector.extract_all(revisions))
        scores: list[float] = self._artifact.calibration.apply(self._forest.margins(rows)).tolist()
        return scores
