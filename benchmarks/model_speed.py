"""CPU time of an edit's features and score, beside the published recipe's features.

    python benchmarks/model_speed.py DATA [--every 20]

DATA is a folder of labelled edits, as `revq evaluate` takes it; every 20th is measured, texts in
memory, one thread: each by itself, then in batches as a scorer takes them.
"""

import argparse
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from time import process_time

import numpy as np

from model_recipe import parse
from revision_quality.models.features import vector
from revision_quality.models.forest import Forest
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.scoring.processor import BATCH
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


def _measure_together(
    name: str, work: Callable[[Sequence[Revision]], object], revisions: list[Revision]
) -> None:
    start = process_time()
    for first in range(0, len(revisions), BATCH):
        work(revisions[first : first + BATCH])
    mean = (process_time() - start) * 1000 / len(revisions)
    print(f"{name:36} mean {mean:7.3f} {'':36} {1000 / mean:7.0f} edits/s")


def main(data: Path, every: int) -> None:
    """Measure a sample of `data`."""
    revisions = [
        edit.revision
        for path in training_files(data)
        for edit in islice(read_labelled_edits(path), 0, None, every)
    ]
    model = RevertRisk.load()
    rows = model.artifact.rows(vector.extract_all(revisions[:1]))
    model.explain(revisions[0])
    print(f"{len(revisions)} edits")
    forest = Forest.of(model.artifact.trees)
    _measure("features", vector.extract, revisions)
    _measure("trees alone", lambda _: forest.margins(rows), revisions)
    _measure("features and score", lambda revision: model.score([revision]), revisions)
    _measure_together("features, scorer's batches", vector.extract_all, revisions)
    _measure_together("features and score, batches", model.score, revisions)
    _measure("explanation", model.explain, revisions[:200])
    _measure(
        "recipe's counts by mwparserfromhell",
        lambda revision: (parse(revision.parent.text), parse(revision.text)),
        revisions,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder or file of labelled edits")
    parser.add_argument("--every", type=int, default=20, help="measure one edit of so many")
    options = parser.parse_args()
    main(options.data, options.every)
