"""Where labelled edits come from: files made for it, or XML dumps judged on the way."""

from collections.abc import Iterator
from pathlib import Path

from revision_quality.errors import ModelError
from revision_quality.training.labelled import SUFFIXES, LabelledEdit, read_labelled_edits

DUMP_SUFFIXES = (".xml", ".xml.bz2", ".xml.gz", ".xml.xz", ".xml.7z")


def read_edits(path: Path) -> Iterator[LabelledEdit]:
    """Read one file's labelled edits, by its name's ending. Raises ModelError."""
    if path.name.endswith(SUFFIXES):
        return read_labelled_edits(path)
    from revision_quality.training import histories  # noqa: PLC0415 (needed for dumps alone)

    return histories.labelled_edits_of_dump(path)


def training_files(data: Path) -> list[Path]:
    """List the files to read, by name: `data` itself, or those in the folder `data`.

    Raises ModelError where there are none.
    """
    found = [data] if data.is_file() else sorted(data.glob("*"))
    found = [path for path in found if path.name.endswith((*SUFFIXES, *DUMP_SUFFIXES))]
    if not found:
        raise ModelError(
            f"{data}: no labelled edits (*.jsonl, *.jsonl.xz) and no dump (*.xml, *.xml.bz2,"
            " *.xml.gz) there."
        )
    return found
