"""Where labelled edits come from: files made for it, dumps and wikis judged on the way."""

from collections.abc import Iterator
from pathlib import Path

from revision_quality.errors import ModelError
from revision_quality.training.labelled import SUFFIXES, LabelledEdit, read_labelled_edits
from revision_quality.wiki.dump import SUFFIXES as DUMP_SUFFIXES
from revision_quality.wiki.dump import Tick


def read_edits(
    path: Path, *, wiki_id: str | None = None, tick: Tick = lambda _: None
) -> Iterator[LabelledEdit]:
    """Read one file's labelled edits, by its name's ending.

    `wiki_id` is for a dump that does not name its wiki; `tick` is told how much of `work` is done.
    Raises ModelError, DumpError.
    """
    if not path.name.endswith(SUFFIXES):
        from revision_quality.training import histories  # noqa: PLC0415 (needed for dumps alone)

        yield from histories.labelled_edits_of_dump(path, wiki_id=wiki_id, tick=tick)
    else:
        yield from read_labelled_edits(path)
    tick(work(path))


def work(path: Path) -> int:
    """Return the bytes to read of a file: a dump is read twice."""
    return path.stat().st_size * (1 if path.name.endswith(SUFFIXES) else 2)


def is_wiki(data: str) -> bool:
    """Tell whether `data` is the address of a wiki's API rather than a file."""
    return data.startswith(("http://", "https://"))


def training_files(data: Path) -> list[Path]:
    """List the files to read, by name: `data` itself, or those in the folder `data`.

    Raises ModelError where there are none.
    """
    if not data.exists():
        raise ModelError(
            f"{data}: there is no such file or folder; a wiki is given by the address of its"
            " api.php, with https://."
        )
    found = [data] if data.is_file() else sorted(data.glob("*"))
    found = [path for path in found if path.name.endswith((*SUFFIXES, *DUMP_SUFFIXES))]
    if not found:
        names = ", ".join(f"*{suffix}" for suffix in SUFFIXES)
        dumps = ", ".join(f"*{suffix}" for suffix in DUMP_SUFFIXES)
        raise ModelError(f"{data}: no labelled edits ({names}) and no dump ({dumps}) there.")
    return found
