"""How long an edit takes to save on a real MediaWiki, with the extension and without.

    .venv/bin/python benchmarks/extension_saving.py [--edits 40] [--php fpm]

From the request to the wiki's whole answer, and from there until the next page of a reader is
there: a process of the web server that still posts could keep it waiting. MediaWiki on MariaDB,
four processes of PHP: by PHP-FPM behind Apache, by Apache's own module, and by PHP's own web
server. On each without the extension, with a service that answers, one that answers nothing, and
one that is away. Rounds of a few edits take turns, and each begins with the service unknown to be
in trouble: after one that did not answer nothing is posted at once for a while, so those have few
slow edits: see the longest.
"""

import argparse
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts.loopback import free_port
from tests.servers.apache import WORKERS, apache
from tests.servers.databases import server
from tests.servers.mediawiki import ADMIN, RealWiki

from percentiles import p50_p95

EXTENSION = Path(__file__).parents[1] / "extension/RevisionQuality/extension.json"
SILENT_SECONDS = 30
ROUND = 10
SERVERS = {"fpm": "FPM", "module": "Apache's module", "own": "PHP's own web server"}


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--php", choices=SERVERS, action="append")
    args = parser.parse_args()
    services = {
        "without the extension": None,
        "a service that answers": _service(0),
        "a service that answers nothing": _service(SILENT_SECONDS),
        "a service that is away": f"http://127.0.0.1:{free_port()}",
    }
    with TemporaryDirectory(prefix="revq-saving-") as made, server("mariadb") as running:
        folder = Path(made)
        # By Apache's module it is www-data who serves.
        folder.chmod(0o755)
        database = running.new_url().replace("mariadb://", "mysql://")
        with RealWiki(folder / "wiki", "bench", "en", database=database) as wiki:
            (folder / "wiki/cache").chmod(0o777)
            wiki.configure(f"wfLoadExtension( 'RevisionQuality', '{EXTENSION}' );\n")
            wiki.maintain("update", "--quick")
            print("| PHP by | service | save p50 | p95 | longest | next page p50 | p95 | longest |")
            print("|---|---|---|---|---|---|---|---|")
            for php in args.php or SERVERS:
                with nullcontext() if php == "own" else apache(wiki, folder / php, php):
                    for name, taken in _rounds(wiki, services, args.edits).items():
                        saves, pages = zip(*taken, strict=True)
                        figures = (*p50_p95(saves), max(saves), *p50_p95(pages), max(pages))
                        told = " | ".join(f"{each * 1000:.0f} ms" for each in figures)
                        print(f"| {SERVERS[php]} | {name} | {told} |", flush=True)


def _rounds(
    wiki: RealWiki, services: Mapping[str, str | None], edits: int
) -> dict[str, list[tuple[float, float]]]:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in services}
    for number in range(edits // ROUND):
        for name, address in services.items():
            _configure(wiki, address)
            # Every process reads its files.
            list(_measure(wiki, WORKERS if number == 0 else 1))
            wiki.page("/w/api.php?forget=1")
            taken[name] += _measure(wiki, ROUND)
    return taken


def _measure(wiki: RealWiki, edits: int) -> Iterator[tuple[float, float]]:
    asked = wiki.get(user=ADMIN, action="query", meta="tokens")
    for _ in range(edits):
        save = _timed(lambda: _save(wiki, asked["query"]["tokens"]["csrftoken"]))
        page = _timed(lambda: wiki.page("/wiki/Special:RecentChanges"))
        yield save, page


def _save(wiki: RealWiki, token: str) -> None:
    form = {"action": "edit", "title": "Page", "text": f"Words {time.time()}", "token": token}
    answer = wiki.session(ADMIN).post(wiki.api_url, data={**form, "format": "json"})
    if "newrevid" not in answer.text:
        raise SystemExit(answer.text)


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
    forget = "apcu_delete( new APCUIterator( '/:revisionquality:away/' ) );"
    wiki.configure(f"{lines}if ( isset( $_GET['forget'] ) ) {{ {forget} }}\n")


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
