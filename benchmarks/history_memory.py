"""Memory and time of labelling the edits of an XML history dump, beside mwxml reading it.

    python benchmarks/history_memory.py [--megabytes 200] [--bound 100]

Makes a dump of a tenth of the size and one of the whole (pages of 1 to 60 revisions, some of them
reverted), and reads each in processes of their own: with our reader, with all of
`labelled_edits_of_dump`, and with mwxml where it is installed (mwxml gets the same file and only
iterates). Prints peak memory beyond the imports, and seconds of CPU. Fails if labelling takes more
than `--bound` MB.
"""

import argparse
import importlib.util
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

WORDS = ("the", "a", "of", "river", "town", "bridge", "church", "old", "new", "is", "built", "year")
HEAD = (
    '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">\n'
    "<siteinfo><sitename>W</sitename><dbname>testwiki</dbname></siteinfo>\n"
)
START = datetime(2020, 1, 1, tzinfo=UTC)


def write_dump(path: Path, size: int) -> None:
    """Write a dump of about `size` bytes."""
    draw = random.Random(1)
    number = page = 0
    with path.open("w", encoding="utf-8") as file:
        file.write(HEAD)
        while file.tell() < size:
            page += 1
            file.write(f"<page><title>Page {page}</title><ns>0</ns><id>{page}</id>\n")
            text = [" ".join(draw.choices(WORDS, k=draw.randint(50, 600)))]
            parent, good = 0, ""
            for _ in range(draw.choice((1, 2, 3, 5, 8, 20, 60))):
                number += 1
                kind = draw.random()
                if kind < 0.04 and parent:
                    good, now = " ".join(text), "JUNK " * 20
                elif good:
                    now, good = good, ""
                else:
                    text.append(" ".join(draw.choices(WORDS, k=20)))
                    now = " ".join(text)
                file.write(_revision(number, parent, draw.randrange(20_000), now))
                parent = number
            file.write("</page>\n")
        file.write("</mediawiki>\n")


def _revision(number: int, parent: int, user: int, text: str) -> str:
    at = START + timedelta(minutes=number)
    return (
        f"<revision><id>{number}</id>{f'<parentid>{parent}</parentid>' if parent else ''}"
        f"<timestamp>{at:%Y-%m-%dT%H:%M:%SZ}</timestamp><contributor><username>User {user}"
        f"</username><id>{user + 1}</id></contributor><comment>c</comment><model>wikitext</model>"
        f"<format>text/x-wiki</format>"
        f'<text bytes="{len(text)}" sha1="s{number}" xml:space="preserve">{text}</text>'
        f"<sha1>s{number}</sha1></revision>\n"
    )


def read(path: Path) -> int:
    """Read it with our reader."""
    from revision_quality.wiki.dump import read_dump  # noqa: PLC0415

    return sum(1 for history in read_dump(path, None, 200_000) for _ in history)


def label(path: Path) -> int:
    """Label it: two readings, users' pasts, reverts, sampling."""
    from revision_quality.training.histories import labelled_edits_of_dump  # noqa: PLC0415

    return sum(1 for _ in labelled_edits_of_dump(path))


def peer(path: Path) -> int:
    """Read it with mwxml."""
    import mwxml  # noqa: PLC0415

    with path.open(encoding="utf-8") as file:
        return sum(1 for page in mwxml.Dump.from_file(file) for _ in page)


WAYS: dict[str, Callable[[Path], int]] = {"read": read, "label": label, "mwxml": peer}


def measure(way: str, path: Path) -> None:
    """Print what one way takes, as JSON; runs in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small.xml"
        write_dump(small, 20_000)
        WAYS[way](small)
    before, started = _peak(), time.process_time()
    count = WAYS[way](path)
    seconds = time.process_time() - started
    print(json.dumps({"items": count, "seconds": seconds, "megabytes": _peak() - before}))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Make the dumps, measure each way, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--bound", type=float, default=100)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        measure(arguments.way, arguments.file)
        return
    ways = [way for way in WAYS if way != "mwxml" or importlib.util.find_spec("mwxml")]
    most = 0.0
    with tempfile.TemporaryDirectory() as folder:
        for size in (arguments.megabytes / 10, arguments.megabytes):
            path = Path(folder) / f"{size:g}.xml"
            write_dump(path, int(size * 1_000_000))
            for way in ways:
                command = [sys.executable, __file__, "--way", way, "--file", str(path)]
                answer = subprocess.run(command, capture_output=True, text=True, check=True)
                found = json.loads(answer.stdout)
                print(
                    f"{size:6g} MB  {way:6} {found['items']:8,} items {found['seconds']:7.1f} s CPU"
                    f"  {size / found['seconds']:6.1f} MB/s  {found['megabytes']:6.1f} MB more"
                )
                if way == "label":
                    most = max(most, found["megabytes"])
            path.unlink()
    if most > arguments.bound:
        sys.exit(f"labelling took {most:.1f} MB, more than {arguments.bound:g} MB")


if __name__ == "__main__":
    main()
