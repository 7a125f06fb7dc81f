"""CPU time of an edit's features and score, beside the published recipe's features.

    python benchmarks/model_speed.py DATA [EVERY]

DATA is a folder of labelled edits; every EVERYth (20) is measured, texts in memory, one thread.
"""

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from time import process_time

import numpy as np

from model_recipe import parse
from revision_quality.models.features import vector
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.training.labelled import read_labelled_edits
from revision_quality.training.sources import training_files
from revision_quality.wiki.revision import Revision


def _measure(name: str, work: Callable[[Revision], object], revisions: list[Revision]) -> None:
    times = []
    for revision in revisions:
        start = process_time()
        work(revision)
        times.append((process_time() - start) * 1000)
    mean = np.mean(times)
    print(
        f"{name:36} mean {mean:7.3f}  median {np.median(times):7.3f}"
        f"  p95 {np.percentile(times, 95):7.3f} ms  {1000 / mean:7.0f} edits/s"
    )


def main(data: Path, every: int) -> None:
    """Measure a sample of `data`."""
    revisions = [
        edit.revision
        for path in training_files(data)
        for edit in islice(read_labelled_edits(path), 0, None, every)
    ]
    model = RevertRisk.load()
    row = vector.extract(revisions[0])
    model.explain(revisions[0])
    print(f"{len(revisions)} edits")
    _measure("features", vector.extract, revisions)
    _measure("trees alone", lambda _: model.artifact.trees.margin(row), revisions)
    _measure("features and score", lambda revision: model.score([revision]), revisions)
    _measure("explanation", model.explain, revisions[:200])
    _measure(
        "recipe's counts by mwparserfromhell",
        lambda revision: (parse(revision.parent.text), parse(revision.text)),
        revisions,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 20)
