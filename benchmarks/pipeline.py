"""From page_change to prediction to row, texts at hand, beside production's shape of the same.

    python3 -m scripts.kafka install && python3 -m scripts.databases install
    .venv/bin/python benchmarks/pipeline.py                                  Kafka to MariaDB
    .venv/bin/python benchmarks/pipeline.py --kserve /tmp/kserve/bin/python  the peer in turn
    .venv/bin/python benchmarks/pipeline.py --streams sqlite --view sqlite --events 144000

Scorers and a materialiser are processes of their own and run the same code as `revq run --role`;
in place of a wiki they have the texts of the demo's sample at hand. They wait, at work, when the
first event is appended; the time is from then until the last row is there. Everything, the broker
and the database too, shares this machine's cores. CPU is processor time for an edit, by process,
which other work on the machine hardly moves.

The peer is production's shape: a dispatcher with `--concurrency` requests under way, as ChangeProp
has, posts each event to KServe's ModelServer (`python3 -m venv /tmp/kserve && /tmp/kserve/bin/pip
install kserve -e '.[kafka]'`) with the same model and the same texts, which publishes each score
before it answers, and a consumer writes a row a commit with the statement that the view uses.
"""

import argparse
import asyncio
import http.client
import itertools
import logging
import os
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from revision_quality.demo import sample_edits
from revision_quality.events import streams as names
from revision_quality.events.page_change import PageChange
from revision_quality.events.prediction import build_prediction, decode_prediction
from revision_quality.models.base import Prediction
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.wiki.contents import Content
from revision_quality.wiki.reader import assemble
from revision_quality.wiki.revision import Revision

sys.path.insert(0, str(Path(__file__).parents[1]))

NAME = "revertrisk-language-agnostic"
APPENDED = 2000
PARTITIONS = 8
START = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LOOK_SECONDS = 0.2


class Constant:
    """Answers at once: what is left is the way there and back."""

    name, version = NAME, "constant"

    def score(self, revisions: Sequence[Revision]) -> list[Prediction]:
        """Answer without a look."""
        return [Prediction(0.25)] * len(revisions)

    async def predict(self, revisions: Sequence[Revision]) -> list[Prediction]:
        """Answer without a look."""
        return self.score(revisions)


MODELS: dict[str, Callable[[], Any]] = {"shipped": RevertRisk.load, "constant": Constant}


class Place(Struct, frozen=True):
    """Where the streams and the rows are; `kafka` is an address and a prefix, or nothing."""

    folder: str
    view: str
    kafka: tuple[str, str] | None
    model: str = "shipped"


class Texts:
    """Gives the edit with revision n the texts of the sample's edit n, over and over."""

    def __init__(self) -> None:
        self.edits = list(sample_edits())
        self.changes = [msgspec.convert(edit.event, PageChange) for edit in self.edits]
        self._parents = [_parent(edit.parent_text, change) for edit, change in self]

    def __iter__(self) -> Iterator[tuple[Any, PageChange]]:
        return zip(self.edits, self.changes, strict=True)

    async def read(self, changes: Sequence[PageChange]) -> list[Any]:
        """Return one revision for each edit."""
        return list(map(self.revision, changes))

    async def check(self) -> None:
        """They are always there."""

    def revision(self, change: PageChange) -> Any:
        """Return what a model is given."""
        number = change.revision.rev_id % len(self.edits)
        return assemble(change, self.edits[number].text, self._parents[number])

    def events(self, number: int, wikis: int) -> Iterator[PageChange]:
        """Make edits with revisions of their own, those of a page in one wiki, 40 a second."""
        for rev_id in range(1, number + 1):
            change = self.changes[rev_id % len(self.changes)]
            moment = START + timedelta(seconds=rev_id / 40)
            yield replace(
                change,
                meta=replace(change.meta, id=None),
                dt=moment,
                wiki_id=f"wiki{change.page.page_id % wikis}",
                revision=replace(change.revision, rev_id=rev_id, rev_dt=moment),
            )


def _parent(text: str, change: PageChange) -> Content:
    prior = change.prior_state.revision if change.prior_state else None
    return Content(
        text=text,
        rev_dt=prior.rev_dt if prior else None,
        comment=prior.comment if prior else None,
        user_text=prior.editor.user_text if prior and prior.editor else None,
    )


@asynccontextmanager
async def log_of(place: Place) -> AsyncIterator[Any]:
    """Open the streams."""
    if place.kafka is None:
        from revision_quality.streams.sqlite import SqliteStreams  # noqa: PLC0415

        async with SqliteStreams(Path(place.folder) / "streams.sqlite") as streams:
            yield streams
    else:
        from revision_quality.streams.kafka.streams import KafkaStreams  # noqa: PLC0415

        async with KafkaStreams(_kafka(place)) as streams:
            yield streams


def _kafka(place: Place) -> Any:
    from revision_quality.streams.kafka.place import KafkaPlace  # noqa: PLC0415

    assert place.kafka is not None
    return KafkaPlace(servers=place.kafka[0], prefix=place.kafka[1], partitions=PARTITIONS)


async def score(place: Place) -> None:
    """Be a scorer."""
    from revision_quality.scoring.group import ScoringGroup  # noqa: PLC0415
    from revision_quality.scoring.model_rule import ModelRule  # noqa: PLC0415

    texts = Texts()
    async with log_of(place) as streams:
        rule = ModelRule(model=MODELS[place.model]())
        group = ScoringGroup(streams, rule, lambda wiki_id: texts)
        await _at_work(group.run())


async def materialise(place: Place) -> None:
    """Be the materialiser."""
    from revision_quality.views.changes import STREAMS, ChangesView  # noqa: PLC0415
    from revision_quality.views.database import Database  # noqa: PLC0415
    from revision_quality.views.materialiser import Materialiser  # noqa: PLC0415

    view = ChangesView(Database(place.view))
    async with log_of(place) as streams:
        await _at_work(Materialiser(streams, view, STREAMS).run())


async def everything(place: Place) -> None:
    """Be all in one process, as `revq run` is."""
    await asyncio.gather(score(place), materialise(place))


async def _at_work(work: Any) -> None:
    running = asyncio.ensure_future(work)
    print("at work", flush=True)
    await running


def serve(place: Place) -> None:
    """Be KServe with the model: publish each score, then answer."""
    import kserve  # noqa: PLC0415 (the environment of the peer alone has it)
    from confluent_kafka import Producer  # noqa: PLC0415

    assert place.kafka is not None
    model, texts = MODELS[place.model](), Texts()
    producer = Producer({"bootstrap.servers": place.kafka[0], "linger.ms": 0, "acks": "all"})
    topic = place.kafka[1] + names.PREDICTION

    class Served(kserve.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(NAME)
            self.ready = True

        async def predict(self, payload: Any, headers: Any = None, **_: Any) -> Any:
            change = msgspec.convert(payload["event"], PageChange)
            [answer] = model.score([texts.revision(change)])
            event = build_prediction(
                change, stream=names.PREDICTION, model_name=model.name,
                model_version=model.version, score=answer.score,
            )  # fmt: skip
            producer.produce(topic, msgspec.json.encode(event), key=str(change.page.page_id))
            await asyncio.to_thread(producer.flush)
            return {"probability": answer.score}

    # It would write four lines for a request.
    logging.disable(logging.INFO)
    port = int(place.folder)
    server = kserve.ModelServer(http_port=port, workers=1, enable_grpc=False, access_log_format="")
    print("at work", flush=True)
    server.start([Served()])


def dispatch(place: Place, port: int, concurrency: int) -> None:
    """Be the dispatcher: read page_change, post each event, several under way."""
    from confluent_kafka import Consumer  # noqa: PLC0415

    assert place.kafka is not None
    consumer = Consumer(
        {"bootstrap.servers": place.kafka[0], "group.id": place.kafka[1] + "dispatch",
         "auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 500}
    )  # fmt: skip
    consumer.subscribe([place.kafka[1] + names.PAGE_CHANGE])
    waiting: queue.Queue[bytes] = queue.Queue(concurrency)

    def post() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            body = b'{"event":' + waiting.get() + b"}"
            connection.request(
                "POST", f"/v1/models/{NAME}:predict", body, {"Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            told = answer.read()
            assert answer.status == http.HTTPStatus.OK, told

    for _ in range(concurrency):
        threading.Thread(target=post, daemon=True).start()
    print("at work", flush=True)
    while True:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            waiting.put(message.value() or b"")


async def write_rows(place: Place) -> None:
    """Be the writer of rows: one a commit."""
    from confluent_kafka import Consumer  # noqa: PLC0415
    from sqlalchemy import Connection  # noqa: PLC0415

    from revision_quality.views import bulk, row  # noqa: PLC0415
    from revision_quality.views.changes import ChangesView, values_of  # noqa: PLC0415
    from revision_quality.views.database import Database  # noqa: PLC0415
    from revision_quality.views.tables import changes  # noqa: PLC0415

    assert place.kafka is not None
    database = Database(place.view)
    ChangesView(database)
    consumer = Consumer(
        {"bootstrap.servers": place.kafka[0], "group.id": place.kafka[1] + "rows",
         "auto.offset.reset": "earliest", "topic.metadata.refresh.interval.ms": 500}
    )  # fmt: skip
    consumer.subscribe([place.kafka[1] + names.PREDICTION])
    numbers = itertools.count(1)

    def write_all(connection: Connection) -> None:
        sql = bulk.upsert_sql(changes, connection.dialect)
        print("at work", flush=True)
        while True:
            message = consumer.poll(1)
            if message is None or message.error() is not None:
                continue
            event = decode_prediction(message.value() or b"")
            new = row.Row(wiki_id=event.wiki_id, rev_id=event.revision.rev_id, seq=0)
            values = values_of(row.with_prediction(new, event), next(numbers))
            connection.exec_driver_sql(sql, values)
            connection.exec_driver_sql("COMMIT")

    await database.write(write_all)


class Team:
    """The processes of a run, by name; what they have cost so far."""

    def __init__(self) -> None:
        self._processes: dict[str, int] = {}

    def add(self, name: str, process_id: int) -> None:
        """Count a process, and those that it started."""
        self._processes[name] = process_id

    def cpu(self) -> dict[str, float]:
        """Return the seconds of processor time of each."""
        return {name: sum(map(_cpu, _tree(pid))) for name, pid in self._processes.items()}

    def memory(self) -> dict[str, float]:
        """Return the resident set of each, in MB of a million bytes."""
        return {name: sum(map(_resident, _tree(pid))) for name, pid in self._processes.items()}


def _tree(process_id: int) -> list[int]:
    children = Path(f"/proc/{process_id}/task/{process_id}/children").read_text().split()
    return [process_id, *(one for child in children for one in _tree(int(child)))]


def _cpu(process_id: int) -> float:
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _resident(process_id: int) -> float:
    pages = int(Path(f"/proc/{process_id}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


class Figures(Struct, frozen=True):
    """One run: edits a second, microseconds of processor time an edit by process, memory in MB."""

    rate: float
    cpu: dict[str, float]
    memory: dict[str, float]
    memory_before: dict[str, float] = {}


@contextmanager
def part(name: str, place: Place, team: Team, *more: object, python: str = "") -> Iterator[None]:
    """Run a part of this file in a process of its own, from when it is at work."""
    told = msgspec.json.encode(place).decode()
    command = [python or sys.executable, __file__, "--part", name, told, *map(str, more)]
    label = name
    while label in team.cpu():
        label += "'"
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.startswith("at work"):
                    break
            else:
                raise SystemExit(f"{name} ended before its work")
            threading.Thread(target=process.stdout.read, daemon=True).start()
            team.add(label, process.pid)
            yield
        finally:
            process.kill()


async def run(
    place: Place, options: argparse.Namespace, team: Team, events: int, *, settle: float
) -> Figures:
    """Append events and wait for their rows."""
    from revision_quality.sources.base import outgoing  # noqa: PLC0415
    from revision_quality.views.changes import ChangesView  # noqa: PLC0415
    from revision_quality.views.database import Database  # noqa: PLC0415

    await asyncio.sleep(settle)
    texts = Texts()
    view = ChangesView(Database(place.view))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(view.close)
        streams = await stack.enter_async_context(log_of(place))
        for stream in (names.PAGE_CHANGE, names.PREDICTION):
            # The peer makes no topic.
            await streams.partitions(stream)
        changes = (outgoing(_identified(change)) for change in texts.events(events, options.wikis))
        before, memory = team.cpu(), {}
        began = time.perf_counter()
        appending = asyncio.create_task(_append(streams, changes))
        while (rows := await _rows(view, options.peer)) < events:
            if rows > events // 10 and not memory:
                memory = team.memory()
            if appending.done():
                appending.result()
            await asyncio.sleep(LOOK_SECONDS)
        took = time.perf_counter() - began
        await appending
    spent = {name: 1e6 * (after - before[name]) / events for name, after in team.cpu().items()}
    return Figures(events / took, spent, team.memory(), memory)


async def _append(streams: Any, changes: Iterator[Any]) -> None:
    while batch := list(itertools.islice(changes, APPENDED)):
        await streams.append(batch)


def _identified(change: PageChange) -> PageChange:
    from revision_quality.events.meta import event_id  # noqa: PLC0415

    identifier = event_id("benchmark", change.wiki_id, change.revision.rev_id)
    return replace(change, meta=replace(change.meta, id=identifier))


async def _rows(view: Any, is_peer: bool) -> int:
    if not is_peer:
        counts = await view.counts()
        return sum(number for (_, state), number in counts.items() if state != "pending")
    from sqlalchemy import func, select  # noqa: PLC0415

    from revision_quality.views.tables import changes  # noqa: PLC0415

    return int(
        await view._database.read(
            lambda connection: connection.execute(
                select(func.count()).select_from(changes)
            ).scalar()
        )
    )


def tell(label: str, runs: Sequence[Figures]) -> float:
    """Print the median of some runs; return its rate."""
    rate = statistics.median(one.rate for one in runs)
    cpu = {name: statistics.median(one.cpu[name] for one in runs) for name in runs[0].cpu}
    parts = ", ".join(f"{name} {spent:.0f}" for name, spent in cpu.items())
    print(
        f"{label:32}{rate:8,.0f} edits/s; CPU us/edit {sum(cpu.values()):.0f}: {parts}", flush=True
    )
    return rate


def main() -> None:
    """Measure, or be a part."""
    if sys.argv[1:2] == ["--part"]:
        _be(sys.argv[2], msgspec.json.decode(sys.argv[3], type=Place), *map(int, sys.argv[4:]))
        return
    options = _options()
    with ExitStack() as stack:
        servers = Servers(options, stack)
        ours, theirs = [], []
        for _ in range(options.runs):
            ours.append(_ours(servers, options, options.events, options.workers))
            if options.kserve:
                theirs.append(_theirs(servers, options))
        where = f"{options.streams} to {options.view}"
        rate = tell(f"{where}, {options.workers} scorers", ours)
        if theirs:
            peer = tell("peer: KServe, row a commit", theirs)
            print(f"ratio {rate / peer:.1f}")
            spent = [
                statistics.median(sum(f.cpu.values()) for f in runs) for runs in (theirs, ours)
            ]
            print(f"ratio of processor time {spent[0] / spent[1]:.1f}")
        _tell_memory(ours)


def _tell_memory(runs: Sequence[Figures]) -> None:
    last = runs[-1]
    for name, memory in last.memory.items():
        before = last.memory_before.get(name, memory)
        print(f"memory of {name}: {before:.0f} MB after a tenth, {memory:.0f} MB at the end")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--streams", choices=("kafka", "sqlite"), default="kafka")
    parser.add_argument("--view", choices=("mariadb", "postgresql", "sqlite"), default="mariadb")
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--wikis", type=int, default=20)
    parser.add_argument("--model", choices=MODELS, default="shipped")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--together", action="store_true", help="All in one process.")
    parser.add_argument("--kserve", help="Python of an environment with kserve, for the peer.")
    parser.add_argument("--concurrency", type=int, default=5)
    parser.add_argument("--peer-events", type=int, default=2000)
    return parser.parse_args()


def _be(name: str, place: Place, *more: int) -> None:
    if name == "kserve":
        serve(place)
    elif name == "dispatch":
        dispatch(place, *more)
    else:
        from revision_quality.cli.logs import set_up_logs  # noqa: PLC0415
        from revision_quality.cli.loop import run_loop  # noqa: PLC0415

        set_up_logs()
        parts = {"score": score, "materialise": materialise, "rows": write_rows}
        run_loop((parts | {"everything": everything})[name](place))


class Servers:
    """The broker and the database, started where they are asked for."""

    def __init__(self, options: argparse.Namespace, stack: ExitStack) -> None:
        from tests.servers.databases import server  # noqa: PLC0415
        from tests.servers.kafka import Broker  # noqa: PLC0415

        self._options = options
        self._numbers = itertools.count(1)
        self._folder = stack.enter_context(tempfile.TemporaryDirectory())
        self._broker = self._database = None
        if options.streams == "kafka":
            self._broker = stack.enter_context(Broker(Path(self._folder) / "kafka"))
        if options.view != "sqlite":
            self._database = stack.enter_context(server(options.view))

    def new_place(self) -> Place:
        """Return a place that holds nothing."""
        folder = Path(self._folder) / str(next(self._numbers))
        folder.mkdir()
        url = self._database.new_url() if self._database else f"sqlite:///{folder}/changes.sqlite"
        kafka = (self._broker.address, f"{folder.name}.") if self._broker else None
        return Place(str(folder), url, kafka, self._options.model)

    def join(self, team: Team) -> None:
        """Count what the servers cost."""
        for name, running in (("broker", self._broker), ("database", self._database)):
            if running is not None:
                team.add(name, running._process.pid)


def _ours(servers: Servers, options: argparse.Namespace, events: int, workers: int) -> Figures:
    place, team = servers.new_place(), Team()
    options.peer = False
    with ExitStack() as stack:
        servers.join(team)
        parts = ["everything"] if options.together else ["materialise", *["score"] * workers]
        for name in parts:
            stack.enter_context(part(name, place, team))
        settle = 8 if place.kafka else 2
        return asyncio.run(run(place, options, team, events, settle=settle))


def _theirs(servers: Servers, options: argparse.Namespace) -> Figures:
    from scripts.loopback import free_port  # noqa: PLC0415

    place, team = servers.new_place(), Team()
    options.peer = True
    port = free_port()
    with ExitStack() as stack:
        servers.join(team)
        stack.enter_context(
            part("kserve", replace(place, folder=str(port)), team, python=options.kserve)
        )
        stack.enter_context(part("dispatch", place, team, port, options.concurrency))
        stack.enter_context(part("rows", place, team))
        return asyncio.run(run(place, options, team, options.peer_events, settle=8))


if __name__ == "__main__":
    main()
