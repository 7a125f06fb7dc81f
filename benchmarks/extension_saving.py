"""How long an edit takes to save on a real MediaWiki, with the extension and without.

    .venv/bin/python benchmarks/extension_saving.py [--edits 40]

From the request to the wiki's whole answer, and from there until the next page of a reader is
there: a process of the web server that still posts could keep it waiting. MediaWiki on MariaDB,
PHP's own web server with four processes; first without the extension, then with it and a service
that answers, one that answers nothing, and one that is away. After one that did not answer nothing
is posted at once for 30 seconds, so those have few slow edits: see the longest.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.e2e.test_roles import free_port
from tests.servers.databases import server
from tests.servers.mediawiki import ADMIN, RealWiki

from percentiles import p50_p95

EXTENSION = Path(__file__).parents[1] / "extension/RevisionQuality/extension.json"
SILENT_SECONDS = 30


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=40)
    edits = parser.parse_args().edits
    well, silent = _service(0), _service(SILENT_SECONDS)
    services = {
        "without the extension": None,
        "a service that answers": well,
        "a service that answers nothing": silent,
        "a service that is away": f"http://127.0.0.1:{free_port()}",
    }
    with TemporaryDirectory(prefix="revq-saving-") as made, server("mariadb") as running:
        database = running.new_url().replace("mariadb://", "mysql://")
        with RealWiki(Path(made) / "wiki", "bench", "en", database=database) as wiki:
            wiki.configure(f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}' );\n")
            wiki.maintain("update", "--quick")
            print("| | save p50 | p95 | longest | next page p50 | p95 | longest |")
            print("|---|---|---|---|---|---|---|")
            # PHP reads its files.
            list(_measure(wiki, 2))
            for name, address in services.items():
                _configure(wiki, address)
                saves, pages = zip(*_measure(wiki, edits), strict=True)
                figures = (*p50_p95(saves), max(saves), *p50_p95(pages), max(pages))
                told = " | ".join(f"{each * 1000:.0f} ms" for each in figures)
                print(f"| {name} | {told} |", flush=True)


def _measure(wiki: RealWiki, edits: int) -> Iterator[tuple[float, float]]:
    for _ in range(edits):
        save = _timed(lambda: wiki.edit("Page", f"Words {time.time()}", user=ADMIN))
        page = _timed(lambda: wiki.page("/wiki/Special:RecentChanges"))
        yield save, page


def _timed(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _configure(wiki: RealWiki, address: str | None) -> None:
    lines = ""
    if address is not None:
        lines = (
            f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}' );\n"
            f"$wgRevisionQualityServiceUrl = '{address}';\n"
        )
    wiki.configure(lines)


def _service(seconds: float) -> str:
    """Serve what EventGate answers, after some seconds; return its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            self.send_response(201)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{made.server_address[1]}"


if __name__ == "__main__":
    main()
