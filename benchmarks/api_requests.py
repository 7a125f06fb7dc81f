"""How many API requests `revq run` needs for an edit of a burst, on a real MediaWiki.

    python3 -m scripts.mediawiki install
    .venv/bin/python benchmarks/api_requests.py [--edits 5000] [--editors 300]

Edits are saved by MediaWiki's own code while revq is away, as many at once as a burst or an outage
brings; then it starts again and catches up. All its requests go through a proxy that counts them by
what they ask. Beside it what production asks for one edit at a time: its model server reads the
revision with its text, the parent with its text, the editor, and when the page began, each by a
request of its own.
"""

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

sys.path.insert(0, str(Path(__file__).parents[1]))

from scripts import mediawiki as script
from scripts.loopback import run
from tests.e2e.proxy import FaultyProxy
from tests.e2e.service import settings_file
from tests.e2e.team import Process, count_in, until
from tests.servers.mediawiki import RealWiki

PEER = 4
"""Requests for an edit that is scored alone; 3 where the editor is not asked for."""

EDITS_PER_PAGE = 10
PATIENCE_SECONDS = 3600

BURST = r"""<?php
require_once '%(mediawiki)s/maintenance/Maintenance.php';
use MediaWiki\MediaWikiServices;
class Burst extends Maintenance {
	public function execute() {
		$services = MediaWikiServices::getInstance();
		$titles = $services->getTitleFactory();
		$pages = $services->getWikiPageFactory();
		$editors = [];
		for ( $n = 0; $n < %(editors)d; $n++ ) {
			$name = "Editor $n";
			$editors[] = User::newFromName( $name )->isRegistered()
				? User::newFromName( $name ) : User::createNew( $name );
		}
		$dbw = $services->getDBLoadBalancer()->getConnection( DB_PRIMARY );
		for ( $n = 0; $n < %(edits)d; $n++ ) {
			$title = $titles->newFromText( 'Page ' . intdiv( $n, %(each)d ) );
			$text = str_repeat( "A line of page $n. ", 20 ) . $n . '%(salt)s';
			$editor = $editors[$n %% count( $editors )];
			$updater = $pages->newFromTitle( $title )->newPageUpdater( $editor );
			$updater->setContent( 'main', new WikitextContent( $text ) );
			$updater->saveRevision( CommentStoreComment::newUnsavedComment( "edit $n" ) );
			if ( !$updater->wasSuccessful() ) {
				$this->fatalError( (string)$updater->getStatus() );
			}
		}
		$this->output( 'saved' );
	}
}
$maintClass = Burst::class;
require_once RUN_MAINTENANCE_IF_MAIN;
"""


class Counting(FaultyProxy):
    """Counts requests by what they ask."""

    def __init__(self, wiki_url: str) -> None:
        super().__init__(wiki_url)
        self.asked: Counter[str] = Counter()
        self._counting = threading.Lock()

    def pass_on(self, request, share_of_body: float = 1) -> None:
        """Count a request, and pass it on."""
        told = parse_qs(f"{urlsplit(request.path).query}&{request.body.decode()}")
        kind = next((told[key][0] for key in ("list", "prop", "meta") if key in told), "other")
        with self._counting:
            self.asked[kind] += 1
        super().pass_on(request, share_of_body)


def save(folder: Path, editors: int, edits: int, *, each: int, salt: str) -> None:
    """Save `each` edits of a page, by MediaWiki's own code in one process."""
    file = folder / "burst.php"
    told = {"mediawiki": script.MEDIAWIKI, "editors": editors, "edits": edits, "each": each}
    file.write_text(BURST % (told | {"salt": salt}))
    command = ["php", "-d", "opcache.enable_cli=0", str(file)]
    said = run(command, env=script.environment(folder))
    if "saved" not in said:
        raise SystemExit(f"the edits are not saved: {said}")


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--edits", type=int, default=5000)
    parser.add_argument("--editors", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options)


def measure(folder: Path, options: argparse.Namespace) -> None:
    """Make the burst, and have it scored."""
    view = f"sqlite:///{folder}/revq-data/changes.sqlite"
    with RealWiki(folder / "wiki", "my_wiki", "en") as wiki, Counting(wiki.api_url) as proxy:
        # Pages that are there before, so that all that is counted are edits.
        pages = -(-options.edits // EDITS_PER_PAGE)
        began = time.monotonic()
        save(folder / "wiki", options.editors, pages, each=1, salt="")
        file = settings_file(folder, proxy.api_url, interval=3)
        with Process("first", file, []) as process:
            process.ready()
            until(lambda: count_in(view, "pending") == 0 and count_in(view, "not_scorable"), 600)
            process.stop()
        had = count_in(view, "scored")
        save(folder / "wiki", options.editors, options.edits, each=EDITS_PER_PAGE, salt=" more")
        print(f"{options.edits} edits by {options.editors} editors saved,"
              f" {time.monotonic() - began:.0f} s", flush=True)  # fmt: skip
        proxy.asked.clear()
        began = time.monotonic()
        with Process("again", file, []) as process:
            until(lambda: count_in(view, "scored") - had >= options.edits, PATIENCE_SECONDS,
                  lambda: f"{count_in(view, 'scored') - had}; {process.log[-2000:]}")  # fmt: skip
            took = time.monotonic() - began
            asked = Counter(proxy.asked)
            process.stop()
    for kind, number in asked.most_common():
        print(f"{kind:16}{number:8}")
    each = asked.total() / options.edits
    print(f"{asked.total()} requests for {options.edits} scored edits in {took:.0f} s:"
          f" {each:.3f} an edit, against {PEER - 1} to {PEER} one at a time,"
          f" {(PEER - 1) / each:.0f} to {PEER / each:.0f} times fewer")  # fmt: skip


if __name__ == "__main__":
    main()
