"""Builds a release twice, compares, installs it in an empty environment and tries it there.

    python scripts/release.py          # writes dist/: wheel, sdist, SBOM, checksums

It fails where the two builds differ, where something is not in the wheel, where the plain install
takes more than SIZE_MB, or where the installed program does not do what is asked of it.
"""

import argparse
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]

SIZE_MB = 150
"""What the plain install may take, pip left out."""

_START_SECONDS = 120.0


def main() -> None:
    """Build, check, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=PROJECT / "dist")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory(prefix="revq-release-") as name:
        folder = Path(name)
        first, second = (build(folder / number) for number in ("first", "second"))
        same = [
            file.name
            for file in first
            if digest(file) == digest(file.parents[1] / "second" / file.name)
        ]
        _require(len(same) == len(first) == len(second), f"the builds differ: same are {same}")
        print(f"built twice, the same: {', '.join(same)}")
        (wheel,) = [file for file in first if file.suffix == ".whl"]
        place = folder / "venv"
        install(place, wheel)
        size = weigh(place)
        print(f"plain install: {size:.0f} MB")
        _require(size < SIZE_MB, f"the plain install takes {size:.0f} MB, more than {SIZE_MB}")
        try_it(place, folder)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for file in first:
            shutil.copy2(file, out)
        (out / "sbom.cdx.json").write_text(json.dumps(sbom(place), indent=1) + "\n")
    sums = [f"{digest(file)}  {file.name}" for file in sorted(out.iterdir())]
    (out / "SHA256SUMS").write_text("\n".join(sums) + "\n")
    print(f"{out}:", *sorted(file.name for file in out.iterdir()))


def moment() -> str:
    """Return the time that stands in the files: the last commit's."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return given
    told = subprocess.run(
        ["git", "log", "-1", "--format=%ct"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return told.stdout.strip()


def build(out: Path) -> list[Path]:
    """Build wheel and sdist from what git knows, in a folder of its own."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": moment()}
    command = [sys.executable, "-m", "build", "--quiet", "--outdir", str(out), str(PROJECT)]
    # Installing the build backend anew needs the network; the environment of the tests has it.
    subprocess.run([*command, "--no-isolation"], env=environment, check=True)
    return sorted(out.iterdir())


def install(place: Path, wheel: Path) -> None:
    """Install a wheel with what it needs, as constraints.txt has it, into an empty environment."""
    venv.create(place, with_pip=True)
    subprocess.run(
        [
            place / "bin/python",
            *("-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--constraint", PROJECT / "constraints.txt", wheel),
        ],
        check=True,
        cwd=place,
    )


def weigh(place: Path) -> float:
    """Return how many MB an environment's packages take, without pip and what it compiled."""
    (packages,) = place.glob("lib/python*/site-packages")
    files = [file for file in packages.rglob("*") if file.is_file() and not file.is_symlink()]
    counted = [
        file
        for file in files
        if file.suffix != ".pyc"
        and not file.relative_to(packages).parts[0].startswith(("pip", "setuptools"))
    ]
    return sum(file.stat().st_size for file in counted) / 1e6


def try_it(place: Path, folder: Path) -> None:
    """Use the installed program, away from the checkout."""
    revq, away = place / "bin/revq", folder / "away"
    away.mkdir()
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    told = _run([revq, "--version"], away, clean)
    _require(told.strip() == f"revq {version()}", f"revq --version says {told!r}")
    line = json.dumps(sample())
    (away / "revisions.jsonl").write_text(f"{line}\n")
    answer = json.loads(_run([revq, "score", "--file", "revisions.jsonl"], away, clean))
    score = answer["output"]["probabilities"]["true"]
    _require(0 <= score <= 1, f"revq score answers {answer}")
    print(f"revq score: {score:.3f}")
    port = 18_000 + os.getpid() % 1000
    demo = subprocess.Popen(
        [revq, "demo", "--no-open", "--port", str(port), "--speed", "0"], cwd=away, env=clean
    )
    try:
        page = _page(f"http://127.0.0.1:{port}/recent-changes", demo)
        _require("Revision Quality" in page and 'class="risk"' in page, "the demo's page is empty")
        _require("revq_ready" in _get(f"http://127.0.0.1:{port}/metrics"), "/metrics is empty")
        _require(":root" in _get(f"http://127.0.0.1:{port}/static/page.css"), "no style sheet")
    finally:
        demo.send_signal(signal.SIGTERM)
        _require(demo.wait(60) == 0, "the demo does not end well")
    print("revq demo: page, metrics and style answer")


def sample() -> dict[str, Any]:
    """Return a revision as Lift Wing takes it."""
    page = {"id": 5, "title": "Apple", "first_edit_timestamp": "2020-01-01T00:00:00Z"}
    then, now = "2026-11-22T08:00:00Z", "2026-11-23T08:00:00Z"
    old, new = "One apple.", "One apple. LOL you all suck!!!"
    parent = {"id": 9, "lang": "en", "text": old, "timestamp": then, "bytes": len(old)}
    return {
        "id": 10,
        "lang": "en",
        "text": new,
        "timestamp": now,
        "bytes": len(new),
        "page": page,
        "parent": parent,
        "user": {"id": 0},
    }


def sbom(place: Path) -> dict[str, Any]:
    """Return a CycloneDX 1.5 document of what is installed."""
    code = (
        "import json; from importlib.metadata import distributions as d;"
        "print(json.dumps([[x.metadata['Name'], x.version, x.metadata.get('License-Expression')"
        " or x.metadata.get('License')] for x in d()]))"
    )
    told = json.loads(_run([place / "bin/python", "-c", code], place, dict(os.environ)))
    components = [
        _component(name, number, terms)
        for name, number, terms in sorted(told)
        if name.lower() not in ("pip", "setuptools")
    ]
    (own,) = [one for one in components if one["name"] == "revision-quality"]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"component": {**own, "type": "application"}},
        "components": [one for one in components if one is not own],
    }


def _component(name: str, number: str, terms: str | None) -> dict[str, Any]:
    purl = f"pkg:pypi/{name.lower().replace('_', '-')}@{number}"
    found = {"type": "library", "bom-ref": purl, "name": name, "version": number, "purl": purl}
    short = (terms or "").strip().partition("\n")[0][:100]
    return {**found, "licenses": [{"license": {"name": short}}]} if short else found


def version() -> str:
    """Return the version that the source has; the changelog must have it, too."""
    text = (PROJECT / "src/revision_quality/__init__.py").read_text()
    (found,) = [line.split('"')[1] for line in text.splitlines() if line.startswith("__version__")]
    _require(f"## {found}" in (PROJECT / "CHANGELOG.md").read_text(), f"no changelog of {found}")
    return found


def digest(file: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _page(url: str, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            page = _get(url)
            if 'class="risk"' in page:
                return page
        except OSError:
            pass
        _require(process.poll() is None, "the demo has ended")
        _require(time.monotonic() < deadline, f"nothing at {url}")
        time.sleep(0.5)


def _get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        body: bytes = answer.read()
        return body.decode()


def _run(command: list[Any], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [*map(str, command)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    _require(done.returncode == 0, f"{command}: {done.stdout}{done.stderr}")
    return done.stdout


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        sys.exit(f"release: {otherwise}")


if __name__ == "__main__":
    main()
