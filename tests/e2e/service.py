"""`revq` as its users run it: a process of its own, its output, its pages."""

import re
import signal
import subprocess
import sysconfig
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, Self, TypeVar
from urllib.parse import urljoin

import httpx

REVQ = Path(sysconfig.get_path("scripts")) / "revq"

PATIENCE_SECONDS = 90.0
"""How long a test waits for what must come; far above what it takes, it only ends a failed test."""

_URL = re.compile(r"^Recent changes: (http://\S+/)recent-changes", re.MULTILINE)
_INSTEAD = "instead there was:"

Row = dict[str, Any]
T = TypeVar("T")


def revq(
    *arguments: object, cwd: Path | None = None, stdin: bytes = b""
) -> subprocess.CompletedProcess[str]:
    """Run a verb that ends by itself."""
    done = subprocess.run(
        [str(REVQ), *map(str, arguments)],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )


def refusal(*arguments: object, cwd: Path | None = None) -> str:
    """Run a verb that cannot do what was asked; return the one sentence that says why."""
    done = revq(*arguments, cwd=cwd)
    assert done.returncode == 1, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("revq: ")
    return line.removeprefix("revq: ")


class Service:
    """A verb that serves until it is stopped; leaving the `with` block kills what still runs.

    `output` and `log` are its standard output and standard error so far.
    """

    def __init__(self, *arguments: object, cwd: Path | None = None) -> None:
        self._process = subprocess.Popen(
            [str(REVQ), *map(str, arguments)],
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._output, self._log = _Listener(self._process.stdout), _Listener(self._process.stderr)
        self._client = httpx.Client(timeout=PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        return self._output.text

    @property
    def log(self) -> str:
        return self._log.text

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def url(self) -> str:
        """The address that it prints, waited for."""
        found = self.until(lambda: _URL.search(self.output))
        return found.group(1)

    def rows(self, query: str = "") -> list[Row]:
        """Return all rows of /recent-changes.json, page by page, newest first."""
        rows: list[Row] = []
        before = ""
        while True:
            address = f"/recent-changes.json?limit=500&{query}{before}"
            page = self.get(address).raise_for_status().json()
            rows += page["changes"]
            if page["continue"] is None:
                return rows
            before = f"&before={page['continue']['before']}"

    def row(self, rev_id: int) -> Row | None:
        """Return the row of a revision, None if there is none; it must not be there twice."""
        found = [row for row in self.rows() if row["rev_id"] == rev_id]
        assert len(found) < 2
        return found[0] if found else None

    def rows_where(self, **values: object) -> list[Row]:
        """Return the rows that have these values."""
        return [row for row in self.rows() if values.items() <= row.items()]

    def dealt_with(self, rev_id: int) -> Row:
        """Wait until an edit is there with its final state; return its row."""
        return self.until(lambda: _final(self.row(rev_id)))

    def all_dealt_with(self, number: int) -> list[Row]:
        """Wait until there are `number` rows or more, all in their final states; return them."""

        def check() -> list[Row] | None:
            first = self.get("/recent-changes.json?limit=1&state=pending").raise_for_status()
            if first.json()["changes"]:
                return None
            rows = self.rows()
            return rows if len(rows) >= number and "pending" not in states(rows) else None

        # Less often than others: thousands of rows cost the service what it needs for its work.
        return self.until(check, every=0.5)

    def all_settled(self, number: int) -> list[Row]:
        """Wait as `all_dealt_with` does, and for the views to have all events; return the rows."""

        def has_caught_up() -> bool:
            views = self.get("/status.json").raise_for_status().json()["views"]
            return all(view["has_caught_up"] and view["behind"] == 0 for view in views)

        self.all_dealt_with(number)
        self.until(has_caught_up)
        return self.rows()

    def page(self, query: str = "") -> str:
        """Return the HTML page."""
        answer = self.get(f"/recent-changes?limit=500&{query}").raise_for_status()
        assert answer.headers["content-type"].startswith("text/html")
        return answer.text

    def get(self, path: str) -> httpx.Response:
        return self._client.get(urljoin(self.url, path))

    def until(
        self,
        check: Callable[[], T | None],
        seconds: float = PATIENCE_SECONDS,
        every: float = 0.1,
    ) -> T:
        """Return the first answer of `check` that is true; fail if the process ends before."""
        deadline = time.monotonic() + seconds
        while True:
            is_running = self.is_running
            answer = check()
            if answer:
                return answer
            assert is_running, f"it ended with {self._process.returncode}, {self._story}"
            assert time.monotonic() < deadline, f"nothing after {seconds} seconds, {self._story}"
            time.sleep(every)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end; return its exit status, all output read."""
        self._process.send_signal(number)
        self._process.wait(PATIENCE_SECONDS)
        self._finish()
        return self._process.returncode

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()
        self._finish()

    def _finish(self) -> None:
        self._output.join()
        self._log.join()
        self._client.close()

    @property
    def _story(self) -> str:
        return f"{_INSTEAD}\n{self.output}\n{self.log}"


def states(rows: list[Row]) -> Counter[str]:
    return Counter(row["state"] for row in rows)


def _final(row: Row | None) -> Row | None:
    return row if row and row["state"] != "pending" else None


class _Listener:
    """Reads a pipe in a thread of its own, so that the writer never waits."""

    def __init__(self, pipe: IO[str]) -> None:
        self._lines: list[str] = []
        self._pipe = pipe
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def join(self) -> None:
        self._thread.join()
        self._pipe.close()

    def _listen(self) -> None:
        self._lines.extend(iter(self._pipe.readline, ""))


def settings_file(folder: Path, *apis: str, interval: float = 0.3) -> Path:
    """Write a settings file for wikis that are asked more often than the default has it."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = (f'[[wikis]]\napi = "{api}"\ninterval = {interval}\n' for api in apis)
    file = folder / "revq.toml"
    file.write_text("[web]\nport = 0\n" + "".join(blocks))
    return file
