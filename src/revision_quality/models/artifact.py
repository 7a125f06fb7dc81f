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
from revision_quality.models.trees import Doubles, Trees

FORMAT = 1
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
    """A model file's content."""

    header: Header
    trees: Trees
    calibration: Calibration


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
    for name in (*_TREE_ARRAYS, "margins", "probabilities"):
        stream = io.BytesIO(archive.read(f"{name}.npy"))
        arrays[name] = np.lib.format.read_array(stream, allow_pickle=False)
    trees = Trees(
        feature=arrays["feature"].astype(np.int32),
        threshold=arrays["threshold"],
        left=arrays["left"],
        value=arrays["value"],
        cover=arrays["cover"],
        roots=arrays["roots"],
        depth=header.depth,
        base=header.base,
    )
    return Artifact(header, trees, Calibration(arrays["margins"], arrays["probabilities"]))


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
