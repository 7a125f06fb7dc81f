"""`:predict` with `revision_data`, against KServe's Python ModelServer with the same function.

    python3 -m venv /tmp/kserve && /tmp/kserve/bin/pip install kserve -e .
    python benchmarks/predict.py /tmp/kserve/bin/python

Both servers are one process each and take turns, in the same run: with a model that answers a
constant, which leaves the cost of serving, and with the model that the package ships. The load is
wrk (`apt-get install wrk`), its bodies are edits of the demo's sample. Memory is the server's
largest resident set and CPU its processor time for a request, from /proc (Linux).
"""

import argparse
import asyncio
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from revision_quality.demo import sample_edits
from revision_quality.levels.level import Level
from revision_quality.models.base import Model, Prediction, Unscored
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.wiki.revision import Revision
from revision_quality.wiki.revision_data import read_revision_data

NAME = "revertrisk-language-agnostic"
EDITS = 200
"""Edits sent in turn: some 7 kB each, text and parent's text."""

_WRK_SCRIPT = """
local bodies = {}
for line in io.lines(FILE) do bodies[#bodies + 1] = line end
local next = 0
wrk.headers["Content-Type"] = "application/json"
request = function()
  next = next % #bodies + 1
  return wrk.format("POST", nil, nil, bodies[next])
end
"""


class ConstantModel:
    """Answers at once, so that what is left is the cost of serving."""

    name = NAME
    version = "constant"
    levels: tuple[Level, ...] = ()

    def score(self, revisions: list[Revision]) -> list[Prediction | Unscored]:
        """Answer without a look."""
        return [Prediction(0.25)] * len(revisions)

    async def predict(self, revisions: list[Revision]) -> list[Prediction | Unscored]:
        """Answer without a look."""
        return self.score(revisions)

    def predict_at_once(self, revision: Revision) -> Prediction:
        """Answer without a look."""
        return Prediction(0.25)


MODELS = {"constant": ConstantModel, "shipped": RevertRisk.load}


class Figures(NamedTuple):
    """One round: requests a second, latencies in milliseconds, memory in MB, failed requests.

    `cpu` is the milliseconds of processor time that the server took for a request: other work on
    the machine hardly moves it.
    """

    rate: float
    p50: float
    p99: float
    memory: float
    failed: int
    cpu: float


def serve_ours(model: Any, port: int) -> None:
    """Serve as `revq run` does, with empty streams and no wiki."""
    from revision_quality.cli.loop import run_loop  # noqa: PLC0415

    run_loop(_serve_ours(model, port))


async def _serve_ours(model: Model, port: int) -> None:
    # Each server is measured with its own imports only.
    from revision_quality.cli.service import until_signal  # noqa: PLC0415
    from revision_quality.recent_changes.wiki_levels import WikiLevels  # noqa: PLC0415
    from revision_quality.scoring.model_rule import ModelRule  # noqa: PLC0415
    from revision_quality.scoring.on_request import OnRequest  # noqa: PLC0415
    from revision_quality.streams.sqlite import SqliteStreams  # noqa: PLC0415
    from revision_quality.views.changes import ChangesView  # noqa: PLC0415
    from revision_quality.views.database import Database  # noqa: PLC0415
    from revision_quality.web.api import AskedModel, api_routes  # noqa: PLC0415
    from revision_quality.web.app import create_app  # noqa: PLC0415
    from revision_quality.web.server import Server, server_config  # noqa: PLC0415
    from revision_quality.web.shortcuts import shortcuts_of  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        view = ChangesView(Database(f"sqlite:///{folder}/views.sqlite"))
        async with SqliteStreams(Path(folder) / "streams.sqlite") as streams:
            asked = OnRequest(streams, ModelRule(model=model), {}.get)
            levels = WikiLevels(())
            served = [AskedModel(model, asked, levels)]
            routes = api_routes(served, view, wiki_ids=["enwiki"], wiki_of={}.get)
            app = create_app(view, {}.get, levels, routes=routes)
            config = server_config(app, shortcuts_of(routes), port=port)
            server = Server(config, app.state.broadcaster.close)
            serving = asyncio.ensure_future(server.serve())
            await until_signal()
            server.should_exit = True
            await serving
        await view.close()


def serve_kserve(model: Any, port: int) -> None:
    """Serve with KServe: the same parsing and the same model function in its `predict`."""
    import kserve  # noqa: PLC0415

    class Served(kserve.Model):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(NAME)
            self.ready = True

        async def predict(self, payload: Any, headers: Any = None, **_: Any) -> Any:
            data = read_revision_data(payload["revision_data"])
            [answer] = model.score([data.revision])
            return {
                "model_name": NAME,
                "model_version": model.version,
                "wiki_db": data.revision.wiki_id,
                "revision_id": -1,
                "output": {
                    "prediction": answer.prediction,
                    "probabilities": {"true": answer.score, "false": 1 - answer.score},
                },
            }

    kserve.ModelServer(http_port=port, workers=1, enable_grpc=False, access_log_format="").start(
        [Served()]
    )


def bodies() -> Iterator[bytes]:
    """Yield requests made of real edits."""
    for edit in sample_edits():
        event = edit.event
        prior = event.get("prior_state", {}).get("revision", {})
        if "rev_dt" not in prior:
            continue
        user = event["revision"].get("editor") or event.get("performer") or {}
        revision = event["revision"]
        parent = {"id": prior["rev_id"], "lang": "en", "text": edit.parent_text,
                  "timestamp": prior["rev_dt"], "bytes": len(edit.parent_text.encode()),
                  "comment": prior.get("comment", "")}  # fmt: skip
        page = {"id": event["page"]["page_id"], "title": event["page"]["page_title"],
                "first_edit_timestamp": "2005-03-01T00:00:00Z"}  # fmt: skip
        data = {"id": -1, "lang": "en", "text": edit.text, "timestamp": revision["rev_dt"],
                "bytes": len(edit.text.encode()), "comment": revision.get("comment", ""),
                "page": page, "parent": parent, "user": {"id": user.get("user_id", 0)}}  # fmt: skip
        yield json.dumps({"revision_data": data}).encode()


@contextmanager
def running(python: str, server: str, model: str) -> Iterator[tuple[str, int]]:
    """Run a server; give its address and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [python, __file__, "--serve", server, model, str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait(process, f"{url}/v1/models")
        yield f"{url}/v1/models/{NAME}:predict", process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise SystemExit(f"the server ended: try {' '.join(map(str, process.args))}")
        try:
            if httpx.get(url).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} is not served after 30 seconds")


def load(url: str, script: Path, seconds: int, connections: int) -> tuple[float, float, float, int]:
    """Put a server under load; return its rate, p50, p99 and how many requests failed."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", script, url]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    p50, p99 = (
        _milliseconds(re.search(rf"(?m)^ +{share}%\s+(\S+)", said)[1]) for share in (50, 99)
    )
    failed = sum(map(int, re.findall(r"(?:Non-2xx or 3xx responses: |timeout )(\d+)", said)))
    return rate, p50, p99, failed


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def memory_of(process_id: int) -> float:
    """Return the largest resident set of a process so far, in MB of a million bytes."""
    status = Path(f"/proc/{process_id}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024 / 1e6


def cpu_seconds_of(process_id: int) -> float:
    """Return the processor time of a process so far."""
    fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(options: argparse.Namespace) -> None:
    """Let the servers take turns; print medians and ratios."""
    sent = list(islice(bodies(), EDITS))
    size = statistics.mean(map(len, sent)) / 1000
    print(f"{len(sent)} edits of {size:.1f} kB on average, {options.connections} connections,")
    print(f"medians of {options.rounds} rounds of {options.seconds} s each\n")
    print("model     server   requests/s   p50 ms   p99 ms   memory MB   failed   CPU ms")
    with tempfile.TemporaryDirectory() as folder:
        edits, script = Path(folder) / "edits.jsonl", Path(folder) / "post.lua"
        edits.write_bytes(b"\n".join(sent))
        script.write_text(_WRK_SCRIPT.replace("FILE", json.dumps(str(edits))))
        for model in options.models:
            compare(model, sent[0], script, options)


def compare(model: str, body: bytes, script: Path, options: argparse.Namespace) -> None:
    """Measure both servers with one model."""
    pythons = {"revq": sys.executable, "kserve": options.kserve_python}
    found: dict[str, list[Figures]] = {server: [] for server in pythons}
    scores = {}
    for _ in range(options.rounds):
        for server, python in pythons.items():
            with running(python, server, model) as (url, process_id):
                scores[server] = httpx.post(url, content=body).json()["output"]
                load(url, script, 2, options.connections)
                before = cpu_seconds_of(process_id)
                *speed, failed = load(url, script, options.seconds, options.connections)
                spent = cpu_seconds_of(process_id) - before
                if not speed[0]:
                    raise SystemExit(f"{server} answered nothing: give it more --seconds")
                cpu = 1000 * spent / (speed[0] * options.seconds)
                found[server].append(Figures(*speed, memory_of(process_id), failed, cpu))
    if scores["revq"] != scores["kserve"]:
        raise SystemExit(f"the servers differ in their answers: {scores}")
    medians = {server: Figures(*map(statistics.median, zip(*rounds, strict=True)))
               for server, rounds in found.items()}  # fmt: skip
    for server, f in medians.items():
        print(f"{model:9} {server:8} {f.rate:10.0f} {f.p50:8.1f} {f.p99:8.1f} {f.memory:11.0f}"
              f" {f.failed:8.0f} {f.cpu:8.3f}")  # fmt: skip
    ours, theirs = medians["revq"], medians["kserve"]
    print(f"{model:9} ratio    {ours.rate / theirs.rate:9.1f}x {theirs.p50 / ours.p50:7.1f}x"
          f" {theirs.p99 / ours.p99:7.1f}x {theirs.memory / ours.memory:10.1f}x {'':8}"
          f" {theirs.cpu / ours.cpu:7.1f}x\n")  # fmt: skip


def main() -> None:
    """Measure, or be one of the servers."""
    if sys.argv[1:2] == ["--serve"]:
        _, _, server, model, port = sys.argv
        serve = {"revq": serve_ours, "kserve": serve_kserve}[server]
        serve(MODELS[model](), int(port))
        return
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kserve_python", help="Python of an environment with kserve and this.")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    if not shutil.which("wrk"):
        parser.error("there is no wrk: apt-get install wrk")
    measure(options)


if __name__ == "__main__":
    main()
