"""Asks for known holes in what is pinned, and first whether this machine can be told of any.

    python scripts/audit.py            # in an environment with pip-audit: `make audit`

Ends with 1 where a pinned package has a known hole or could not be looked up. A package index that
mirrors files alone knows no advisories, and an audit there could not fail: so a pin with a known
hole is looked up before. Where nobody tells of that hole nothing is audited; that is said, and it
is no failure.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[1]
PINNED = PROJECT / "deploy/requirements-all.txt"
"""All that a release may install."""

KNOWN = "jinja2==2.10"
"""It has a hole that is known since 2019 (CVE-2019-10906)."""

SERVICES = ("pypi", "osv")
"""Who is asked for advisories, by pip-audit's names: the first one that knows of KNOWN."""

Ask = Callable[[str, Sequence[str]], list[dict[str, Any]]]


def main() -> None:
    """Audit, print, judge."""
    sys.exit(audit(ask))


def audit(ask: Ask) -> int:
    """Print what `ask` finds; return the exit status.

    `ask` takes the name of a service and arguments of pip-audit, and returns its `dependencies`:
    each with a name and with `version` and `vulns`, or with `skip_reason`.
    """
    service = next((one for one in SERVICES if knows(ask, one)), None)
    if service is None:
        print(
            f"NOTHING WAS AUDITED: no advisories can be had here ({' and '.join(SERVICES)} do not"
            f" tell of the hole in {KNOWN}). Run `make audit` where PyPI itself can be reached."
        )
        return 0
    found = ask(service, ["--disable-pip", "--require-hashes", "--requirement", str(PINNED)])
    wrong = [line for dependency in found for line in complaints(dependency)]
    wrong += [] if found else [f"{service} does not answer any more: run `make audit` again"]
    print("\n".join(wrong) or f"{len(found)} pinned packages: no known hole ({service})")
    return int(bool(wrong))


def knows(ask: Ask, service: str) -> bool:
    """Tell whether a service says that KNOWN has a hole."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(f"{KNOWN}\n")
        file.flush()
        found = ask(service, ["--disable-pip", "--no-deps", "--requirement", file.name])
    return any(dependency.get("vulns") for dependency in found)


def complaints(dependency: dict[str, Any]) -> list[str]:
    """Return a line for each hole of a dependency, and one where it could not be looked up."""
    name = dependency["name"]
    if "skip_reason" in dependency:
        return [f"{name}: not audited: {dependency['skip_reason']}"]
    return [
        f"{name} {dependency['version']}: {hole['id']}, mended in"
        f" {', '.join(hole.get('fix_versions', [])) or 'no version yet'}"
        for hole in dependency["vulns"]
    ]


def ask(service: str, arguments: Sequence[str]) -> list[dict[str, Any]]:
    """Run pip-audit; nothing is found where the service does not answer."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip_audit", "--vulnerability-service", service),
            *("--format", "json", "--progress-spinner", "off", *arguments),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout.strip():
        return []
    found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    return found


if __name__ == "__main__":
    main()
