"""How fast the labels view takes edits and scores, and levels are chosen on its counts.

    python benchmarks/labels.py [--edits 20000] [--pages 2000] [--url sqlite:///labels.sqlite]

Half of the edits are to `pages` pages that are edited again and again, half to a page of their own;
every edit has a score. Each batch has as many events as the materialiser brings at once. What is
spent at work is the processor time of this process: other processes change it less, and that of a
server is not in it.
"""

import argparse
import random
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from revision_quality.cli.loop import run_loop
from revision_quality.events import streams as names
from revision_quality.events.meta import Meta
from revision_quality.events.page_change import (
    SCHEMA,
    ChangelogKind,
    PageChange,
    PageChangeKind,
    PageEntity,
    RevisionEntity,
    UserEntity,
)
from revision_quality.events.prediction import build_prediction
from revision_quality.levels.keeper import Choosing, LevelsKeeper
from revision_quality.levels.labels_view import LabelsView
from revision_quality.levels.scores import NamedModel
from revision_quality.levels.target import DEFAULT_TARGETS, parse_target
from revision_quality.streams.base import Record
from revision_quality.views.changes import ChangesView
from revision_quality.views.database import Database
from revision_quality.views.materialiser import READ

MODEL = NamedModel("model", "1")
DAYS = 56


def events(edits: int, pages: int) -> list[Record]:
    """Make edits of the last weeks, each with its score behind it."""
    chance, records = random.Random(1), list[Record]()
    start = datetime.now(UTC) - timedelta(days=DAYS + 3)
    for number in range(1, edits + 1):
        page_id = chance.randrange(pages) if chance.random() < 0.5 else pages + number
        at = start + timedelta(days=DAYS * number / edits)
        score = chance.betavariate(0.25, 1.5)
        text = "good" if chance.random() < score else f"text {number}"
        change = PageChange(
            schema=SCHEMA,
            meta=Meta(stream=names.PAGE_CHANGE),
            dt=at,
            wiki_id="enwiki",
            page_change_kind=PageChangeKind.EDIT,
            changelog_kind=ChangelogKind.UPDATE,
            page=PageEntity(page_id=page_id, page_title=f"P{page_id}"),
            revision=RevisionEntity(
                rev_id=number,
                rev_dt=at,
                rev_sha1=text,
                editor=UserEntity(user_text=f"U{chance.randrange(999)}", user_id=1),
            ),
        )
        prediction = build_prediction(
            change,
            stream=names.PREDICTION,
            model_name=MODEL.name,
            model_version=MODEL.version,
            score=score,
        )
        records.append(Record(names.PAGE_CHANGE, number, 0, msgspec.json.encode(change)))
        records.append(Record(names.PREDICTION, number, 0, msgspec.json.encode(prediction)))
    return records


async def measure(url: str, records: list[Record]) -> None:
    """Bring all into both views, then choose levels; print how long each takes."""
    edits = len(records) // 2
    view = ChangesView(Database(url))
    labels = LabelsView(view.database, view.bell)
    for one, name in ((view, "changes view"), (labels, "labels view")):
        start, cpu = time.perf_counter(), time.process_time()
        for first in range(0, len(records), READ):
            await one.apply(records[first : first + READ])
        seconds, worked = time.perf_counter() - start, time.process_time() - cpu
        print(
            f"{name}: {seconds / edits * 1e6:.0f} microseconds for an edit and its score,"
            f" {worked / edits * 1e6:.0f} of them at work"
        )
    targets = {name: parse_target(text) for name, text in DEFAULT_TARGETS.items()}
    keeper = LevelsKeeper(view.database, [MODEL], Choosing(targets=lambda _: targets))
    start = time.perf_counter()
    await keeper.choose_all(MODEL)
    print(f"levels of one wiki out of the counts: {time.perf_counter() - start:.2f} s")
    await view.close()


def main() -> None:
    """Measure on a database that is empty."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--edits", type=int, default=20_000)
    parser.add_argument("--pages", type=int, default=2000)
    parser.add_argument("--url")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.url or f"sqlite:///{Path(folder) / 'labels.sqlite'}"
        records = events(arguments.edits, arguments.pages)
        run_loop(measure(url, records))


if __name__ == "__main__":
    main()
