"""What Lighthouse finds in the pages of `revq demo`, on a phone and on a desktop.

    npm install --prefix /tmp/lighthouse lighthouse
    .venv/bin/python benchmarks/lighthouse.py --findings \\
        --lighthouse /tmp/lighthouse/node_modules/.bin/lighthouse

Starts `revq demo` on a port of its own, waits until all edits have scores, and audits performance,
accessibility and best practices of each page. Lighthouse's phone is slowed to a slow 4G network and
a quarter of the processor's speed by its own simulation, so its figures move with what else the
machine does. Each page is asked for once before. Prints the three scores of 100, first and largest
paint, and kB over the network; with `--findings` each audit of these categories that is not passed,
and the elements. Nothing is asked of the internet.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from typing import Any

CATEGORIES = ("performance", "accessibility", "best-practices")
FORMS = {"phone": (), "desktop": ("--preset=desktop",)}
START_SECONDS = 180

_REVQ = "from revision_quality.cli.main import run; run()"


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--lighthouse", default="lighthouse", help="its program")
    parser.add_argument("--chromium", default="chromium", help="the browser's program")
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--only", default="", help="audit the pages with this in their names")
    parser.add_argument("--findings", action="store_true", help="print what is not passed")
    args = parser.parse_args()
    lighthouse, chromium = shutil.which(args.lighthouse), shutil.which(args.chromium)
    if not lighthouse:
        return _refuse("Lighthouse is missing: run 'npm install --prefix DIR lighthouse' and give"
                       " --lighthouse DIR/node_modules/.bin/lighthouse")  # fmt: skip
    if not chromium:
        return _refuse("Chromium is missing: give its program by --chromium")
    with _demo() as url:
        print(f"{'':30}{'performance':>12}{'accessible':>12}{'practices':>12}"
              f"{'first paint':>12}{'largest':>10}{'kB':>8}")  # fmt: skip
        for name, path in _pages(url).items():
            if args.only not in name:
                continue
            _get(url + path)
            for form in args.forms:
                report = _audit(lighthouse, chromium, url + path, FORMS[form])
                print(f"{name + ', ' + form:30}{_line(report)}", flush=True)
                if args.findings:
                    print("\n".join(_findings(report)))
    return 0


def _refuse(reason: str) -> int:
    print(f"lighthouse: {reason}", file=sys.stderr)
    return 1


@contextmanager
def _demo() -> Iterator[str]:
    """Serve the demo's edits, all of them scored; give the URL."""
    with TemporaryDirectory() as data:
        command = [sys.executable, "-c", _REVQ, "demo", "--no-open", "--port", "0"]
        demo = subprocess.Popen(
            [*command, "--speed", "0", "--data", data], stdout=subprocess.PIPE, text=True
        )
        try:
            assert demo.stdout is not None
            url = demo.stdout.readline().split()[2].removesuffix("/recent-changes")
            deadline = time.monotonic() + START_SECONDS
            while (
                _json(f"{url}/recent-changes.json?state=pending&limit=1")["changes"]
                or not _json(f"{url}/recent-changes.json?limit=1")["changes"]
            ):
                if time.monotonic() > deadline:
                    raise TimeoutError("the demo's edits are not scored")
                time.sleep(0.5)
            yield url
        finally:
            demo.terminate()
            demo.wait()


def _pages(url: str) -> Mapping[str, str]:
    riskiest = _json(f"{url}/recent-changes.json?order=riskiest&limit=1")["changes"][0]
    return {
        "recent changes": "/recent-changes",
        "queue": "/recent-changes?order=mixed",
        "a change and its diff": f"/recent-changes/{riskiest['wiki_id']}/{riskiest['rev_id']}",
        "levels": "/levels",
        "status": "/status",
    }


def _json(url: str) -> Any:
    return json.loads(_get(url))


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body


def _audit(lighthouse: str, chromium: str, url: str, form: tuple[str, ...]) -> Any:
    done = subprocess.run(
        [lighthouse, url, *form, "--output=json", "--quiet", "--no-enable-error-reporting",
         f"--only-categories={','.join(CATEGORIES)}",
         "--chrome-flags=--headless=new --no-sandbox --disable-gpu --disable-component-update"
         " --disable-background-networking"],
        env={**os.environ, "CHROME_PATH": chromium},
        stdout=subprocess.PIPE,
        check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def _line(report: Any) -> str:
    scores = (100 * (report["categories"][name]["score"] or 0) for name in CATEGORIES)
    audits = report["audits"]
    paints = (audits[f"{which}-contentful-paint"]["numericValue"] for which in ("first", "largest"))
    weight = audits["total-byte-weight"]["numericValue"]
    first, largest = (f"{paint / 1000:.1f} s" for paint in paints)
    return (
        "".join(f"{score:12.0f}" for score in scores)
        + f"{first:>12}{largest:>10}{weight / 1000:8.1f}"
    )


def _findings(report: Any) -> Iterator[str]:
    wanted = {ref["id"] for c in report["categories"].values() for ref in c["auditRefs"]}
    for name in sorted(wanted):
        audit = report["audits"][name]
        if audit["score"] is None or audit["score"] >= 0.9:
            continue
        yield f"  {name}: {audit['title']} {audit.get('displayValue', '')}"
        details = audit.get("details", {})
        items = details.get("items", ()) if details.get("type") in ("table", "opportunity") else ()
        places = [item.get("node", {}).get("snippet") or item.get("url") for item in items]
        yield from (f"    {place}" for place in filter(None, places[:5]))


if __name__ == "__main__":
    sys.exit(main())
