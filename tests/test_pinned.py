"""What a release installs is pinned by hash, and is what the tests ran with."""

import re
import tomllib
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
FILES = {
    "requirements.txt": (),
    "requirements-all.txt": ("cassandra", "kafka", "mariadb", "otel", "postgresql"),
}


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(text: str) -> dict[str, str]:
    found = re.findall(r"^([A-Za-z0-9_.-]+)==([^\s;\\]+)", text, re.MULTILINE)
    return {plain(name): version for name, version in found}


@pytest.mark.parametrize("name", FILES)
def test_every_package_has_hashes_and_no_address(name):
    text = (PROJECT / "deploy" / name).read_text()
    packages = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]

    assert len(packages) > 30
    assert all("--hash=sha256:" in package for package in packages)
    assert not re.search(r"https?://|--index|--find-links|--trusted", text)


def test_what_builds_it_is_pinned_too():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    needed = {plain(re.split(r"[<>=]", one)[0]) for one in project["build-system"]["requires"]}
    text = (PROJECT / "deploy/requirements-build.txt").read_text()

    assert needed <= pins(text).keys()
    assert text.count("--hash=sha256:") >= len(pins(text))


@pytest.mark.parametrize("name", [*FILES, "requirements-build.txt"])
def test_the_versions_are_those_of_the_tests(name):
    pinned = pins((PROJECT / "deploy" / name).read_text())
    tested = pins((PROJECT / "constraints.txt").read_text())

    differing = {
        one: (version, tested[one])
        for one, version in pinned.items()
        if one in tested and tested[one] != version
    }
    assert differing == {}


@pytest.mark.parametrize(("name", "extras"), FILES.items())
def test_nothing_that_is_needed_is_left_out(name, extras):
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"]]
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    needed = {plain(re.split(r"[\[<>=;,! ]", one)[0]) for one in wanted}

    assert needed <= pins((PROJECT / "deploy" / name).read_text()).keys()
