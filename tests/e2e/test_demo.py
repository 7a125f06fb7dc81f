"""`revq demo`, from the command to the page."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import termios
import time
from collections import Counter

import httpx
import pytest

from revision_quality.demo import sample_edits
from tests.e2e.service import REVQ, Service, refusal, states

FIRST_ROW_SECONDS = 60
STATES = ("pending", "scored", "not_scorable", "failed")


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


def test_every_edit_of_the_sample_gets_into_the_view_once(data):
    began = time.monotonic()
    with Service("demo", "--port", 0, "--no-open", "--speed", 0, "--data", data) as demo:
        demo.until(lambda: demo.rows("state=scored"))
        first_row = time.monotonic() - began
        rows = demo.all_dealt_with(3000)
        by_state = {state: len(demo.rows(f"state={state}")) for state in STATES}
        page = demo.page()
        status = demo.stop()
    keys = Counter((row["wiki_id"], row["rev_id"]) for row in rows)
    expected = {(e.event["wiki_id"], e.event["revision"]["rev_id"]) for e in sample_edits()}

    print(f"first scored row after {first_row:.1f} s, {by_state}")
    assert first_row < FIRST_ROW_SECONDS
    assert keys.keys() == expected
    assert keys.total() == len(expected) == 3000
    assert by_state == {state: states(rows)[state] for state in STATES}
    assert by_state["scored"] + by_state["not_scorable"] == 3000
    assert all((row["score"] is not None) == (row["state"] == "scored") for row in rows)
    assert all(row["level"] is None or row["score"] is not None for row in rows)
    assert page.count("<li ") >= 100
    assert rows[0]["title"] in page
    assert status == 0
    assert demo.log == ""


def test_two_at_once_on_one_data_folder(data):
    with Service("demo", "--port", 0, "--no-open", "--data", data) as demo:
        _ = demo.url
        sentence = refusal("demo", "--port", 0, "--no-open", "--data", data)
        status = demo.stop()

    assert sentence == (
        f"data folder {data} is in use by another revq (process {demo.pid}):"
        " stop that one, or choose another folder with --data"
    )
    assert status == 0


def test_a_port_in_use(data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = refusal("demo", "--port", port, "--no-open", "--data", data)

    assert sentence == (
        f"cannot serve on 127.0.0.1, port {port} (Address already in use):"
        " choose another with --host and --port, or port 0 for any that is free"
    )


def test_a_stop_while_pages_are_open(data):
    with Service("demo", "--port", 0, "--no-open", "--data", data) as demo:
        with httpx.stream("GET", f"{demo.url}recent-changes/events", timeout=90) as page:
            news = next(page.iter_lines())
            status = demo.stop()
        assert demo.log == ""

    assert news.startswith("retry:")
    assert status == 0


def test_a_stop_in_the_middle_of_the_work(data):
    # The sample's year lasts a minute: longer than three starts take on a busy machine.
    arguments = ("demo", "--port", 0, "--no-open", "--data", data, "--speed", 500_000)
    for _ in range(3):
        with Service(*arguments) as demo:
            demo.until(lambda demo=demo: demo.rows("state=pending"))
            assert demo.stop(signal.SIGINT) == 0
            assert demo.log == ""


def test_what_a_terminal_shows(data):
    terminal, inside = os.openpty()
    termios.tcsetwinsize(inside, (40, 100))
    process = subprocess.Popen(
        [REVQ, "demo", "--port", "0", "--no-open", "--data", data, "--speed", "0"],
        stdin=inside,
        stdout=inside,
        stderr=inside,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    os.close(inside)
    with os.fdopen(terminal, "rb", buffering=0) as screen:
        shown = b""
        while b"3000/3000" not in shown or b" scored" not in shown:
            shown += screen.read(4096)
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):
            while part := screen.read(4096):
                shown += part
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode().replace("\r", "\n"))

    assert process.wait(90) == 0
    assert text.startswith("Recent changes: http://127.0.0.1:")
    assert re.search(r"^Edits: [\d,]+ (scored|pending)", text, re.MULTILINE)
    assert re.search(r"^edits replayed ━+ +3000/3000", text, re.MULTILINE)
    assert "Traceback" not in text
    assert "rror" not in text
