"""Counts by the change alone against a whole pass, and against mwparserfromhell.

    python benchmarks/model_agreement.py DATA

DATA is a folder of labelled edits. Prints how many edits the two passes differ on (0 expected) and,
for each part, the share of texts with mwparserfromhell's count and of edits with its difference.
"""

import sys
from pathlib import Path

import numpy as np
from rich.progress import track

from model_recipe import PARTS, parse
from revision_quality.models.features import markup
from revision_quality.models.features.change import differing_region
from revision_quality.training.labelled import read_labelled_edits
from revision_quality.training.sources import training_files


def _ours(counts: markup.Counts) -> tuple[int, ...]:
    return tuple(getattr(counts, part) for part in PARTS)


def main(data: Path) -> None:
    """Compare all edits in `data`."""
    differing, edits = 0, 0
    texts, changes = [], []
    for path in track(training_files(data)):
        for edit in read_labelled_edits(path):
            parent, text = edit.revision.parent.text, edit.revision.text
            parsed = markup.parse(parent)
            kinds = markup.reparse(parsed, parent, text, differing_region(parent, text))
            differing += kinds != markup.parse(text).kinds
            edits += 1
            before = np.subtract(_ours(parsed.counts()), parse(parent))
            after = np.subtract(_ours(markup.count(kinds)), parse(text))
            texts += [before == 0, after == 0]
            changes.append(before == after)
    print(f"{edits} edits, {differing} counted otherwise by the change alone")
    for part, same, alike in zip(PARTS, np.mean(texts, 0), np.mean(changes, 0), strict=True):
        print(f"{part:16} texts {same:.2%}  edits {alike:.2%}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
