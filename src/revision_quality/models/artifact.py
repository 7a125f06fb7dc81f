"""The model file: arrays in an npz and a JSON header, nothing that can run code."""

import io
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from revision_quality.errors import ModelError
from revision_quality.levels.level import Level
from revision_quality.models.features.ngrams import BUCKETS
from revision_quality.models.features.vector import LEARNT, Vectors
from revision_quality.models.ngram_weights import NgramWeights
from revision_quality.models.trees import Doubles, Floats, Trees

FORMAT = 3
_EPOCH = (1980, 1, 1, 0, 0, 0)


class Header(Struct, frozen=True, kw_only=True):
    """What a model file says of itself.

    `features` are the names of the vector in order and `features_version` the version of their
    definitions: a file for another list or version cannot score. `levels` were measured out of
    fold.
    """

    format: int
    name: str
    version: str
    features_version: str
    features: tuple[str, ...]
    depth: int
    base: float
    levels: tuple[Level, ...]


class Calibration(Struct, frozen=True):
    """A growing line of straight pieces from log odds to probability."""

    margins: Doubles
    probabilities: Doubles

    def apply(self, margins: Doubles) -> Doubles:
        """Return the probabilities of `margins`; outside of the pieces the end values hold."""
        return np.interp(margins, self.margins, self.probabilities)


class Artifact(Struct, frozen=True):
    """A model file's content; `ngrams` has the weights behind each of the features LEARNT."""

    header: Header
    trees: Trees
    ngrams: tuple[NgramWeights, ...]
    calibration: Calibration

    def rows(self, measured: Vectors) -> Floats:
        """Return what the trees read of each edit: the values of FEATURES."""
        read = zip(self.ngrams, measured.ngrams, strict=True)
        return measured.with_learnt([learnt.log_odds(found) for learnt, found in read])


_TREE_ARRAYS = ("feature", "threshold", "left", "value", "cover", "roots")


def _npy(array: npt.NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), allow_pickle=False)
    return buffer.getvalue()


def dump(artifact: Artifact) -> bytes:
    """Write a model file: the same content gives the same bytes."""
    buffer = io.BytesIO()
    arrays = {name: getattr(artifact.trees, name) for name in _TREE_ARRAYS}
    arrays["feature"] = arrays["feature"].astype(np.uint8)
    arrays |= {name: arrays[name].astype(np.int32) for name in ("left", "roots")}
    arrays["ngram_weights"] = np.stack([each.weights for each in artifact.ngrams], dtype=np.float16)
    arrays["margins"] = artifact.calibration.margins
    arrays["probabilities"] = artifact.calibration.probabilities
    with zipfile.ZipFile(buffer, "w") as archive:
        content = {"header.json": msgspec.json.format(msgspec.json.encode(artifact.header))}
        content |= {f"{name}.npy": _npy(array) for name, array in arrays.items()}
        for name, data in content.items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def _read(archive: zipfile.ZipFile) -> Artifact:
    header = msgspec.json.decode(archive.read("header.json"), type=Header)
    arrays = {}
    for name in (*_TREE_ARRAYS, "ngram_weights", "margins", "probabilities"):
        stream = io.BytesIO(archive.read(f"{name}.npy"))
        arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
    trees = Trees(
        feature=arrays["feature"].astype(np.intp),
        threshold=arrays["threshold"],
        left=arrays["left"].astype(np.intp),
        value=arrays["value"],
        cover=arrays["cover"],
        roots=arrays["roots"].astype(np.intp),
        depth=header.depth,
        base=header.base,
    )
    ngrams = tuple(map(NgramWeights, arrays["ngram_weights"].astype(np.float32)))
    calibration = Calibration(arrays["margins"], arrays["probabilities"])
    return Artifact(header, trees, ngrams, calibration)


def _check(artifact: Artifact) -> None:
    header, trees = artifact.header, artifact.trees
    nodes = len(trees.left)
    if header.format != FORMAT:
        raise ValueError(f"format {header.format}, expected {FORMAT}")
    if any(len(array) != nodes for array in (trees.feature, trees.threshold, trees.value)):
        raise ValueError("arrays of different lengths")
    inner = trees.left[np.isfinite(trees.threshold)] + 1
    if nodes == 0 or trees.roots.max() >= nodes or inner.max(initial=0) >= nodes:
        raise ValueError("a node points outside of its tree")
    if trees.left.min() < 0 or trees.roots.min() < 0 or not 0 <= header.depth <= 64:
        raise ValueError("a node points outside of its tree")
    if trees.feature.max() >= len(header.features):
        raise ValueError("a node asks for a feature that the list does not have")
    if [each.weights.shape for each in artifact.ngrams] != [(BUCKETS,)] * len(LEARNT):
        raise ValueError("not one weight for each n-gram")


def load(data: bytes, origin: str) -> Artifact:
    """Read a model file's bytes. Raises ModelError for anything else; `origin` names it there."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            artifact = _read(archive)
        _check(artifact)
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, msgspec.MsgspecError) as error:
        raise ModelError(
            f"{origin}: not a model file of this version of revq ({error}); train it anew with"
            " `revq train`."
        ) from error
    return artifact


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` beside `path` and put it in place at once, so that no reader sees a part."""
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(data)
    beside.replace(path)
