"""What deploy/ names is there: roles, ports, probes, settings, extras."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from revision_quality.cli.places import check_places
from revision_quality.cli.role import Role
from revision_quality.cli.verbs import load
from revision_quality.settings import Web, check_settings, load_settings
from revision_quality.web.health import ALIVE_PATH, READY_PATH

PROJECT = Path(__file__).parents[1]
DEPLOY = PROJECT / "deploy"
ROLES = {str(role) for role in Role}
PORT = Web().port
KUBERNETES = "1.31"


@pytest.fixture(autouse=True)
def _password(monkeypatch):
    monkeypatch.setenv("REVQ_DB_PASSWORD", "s3cret")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return found


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return [*yaml.safe_load_all((DEPLOY / "kubernetes/revq.yaml").read_text())]


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (DEPLOY / "Dockerfile").read_text()


def of_kind(objects: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in objects if one["kind"] == kind]


def pods(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["spec"]["template"]["spec"] for one in of_kind(objects, "Deployment")]


def understood(command: list[str]) -> dict[str, Any]:
    """Return the arguments of `revq run` as revq reads them."""
    verb, *arguments = command
    assert verb == "run"
    context = load("run").make_context("run", list(arguments))
    found: dict[str, Any] = context.params
    return found


def test_the_settings_are_settings():
    settings = load_settings(DEPLOY / "revq.toml")

    check_settings(settings)
    check_places(settings)
    assert settings.streams.is_kafka
    assert (settings.web.host, settings.web.port) == ("0.0.0.0", PORT)
    assert [wiki.api for wiki in settings.wikis] == ["https://wiki.example/w/api.php"]


def test_what_the_settings_say_of_more_places_is_right_too(tmp_path):
    text = (DEPLOY / "revq.toml").read_text()
    (tmp_path / "wikis.d").symlink_to(DEPLOY / "wikis.d")
    (tmp_path / "revq.toml").write_text(re.sub(r"^# (?=\[|url|keep)", "", text, flags=re.MULTILINE))

    settings = load_settings(tmp_path / "revq.toml")

    assert settings.score_store is not None
    check_places(settings)


def test_compose_has_a_service_for_each_role(services):
    ours = {name: one for name, one in services.items() if one.get("image") == "revision-quality"}

    assert ours.keys() == ROLES
    for name, service in ours.items():
        assert [str(role) for role in understood(service["command"])["role"]] == [name]
        assert f":{PORT}{READY_PATH}" in service["healthcheck"]["test"][-1]
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
        assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}
        assert all(
            volume.split(":")[1].startswith(("/etc/", "/var/")) for volume in service["volumes"]
        )


def test_compose_starts_the_servers_that_the_settings_name(services):
    settings = load_settings(DEPLOY / "revq.toml")
    mariadb = services["mariadb"]["environment"]

    assert "kafka://kafka:9092" in str(settings.streams.url)
    assert mariadb["MARIADB_PASSWORD"] == services["serve"]["environment"]["REVQ_DB_PASSWORD"]
    assert settings.changes_view.url == (
        f"mariadb://{mariadb['MARIADB_USER']}:s3cret@mariadb:3306/{mariadb['MARIADB_DATABASE']}"
    )
    for name in ROLES:
        assert services[name]["depends_on"].keys() <= services.keys()


def test_kubernetes_takes_every_object(objects):
    for one in objects:
        kubernetes_validate.validate(one, KUBERNETES, strict=True)


def test_kubernetes_has_a_deployment_for_each_role_with_its_probes(objects):
    named = []
    for pod in pods(objects):
        [container] = pod["containers"]
        arguments = understood(container["args"])
        named += [str(role) for role in arguments["role"]]
        assert arguments["port"] == container["ports"][0]["containerPort"] == PORT
        assert container["livenessProbe"]["httpGet"]["path"] == ALIVE_PATH
        assert container["startupProbe"]["httpGet"]["path"] == ALIVE_PATH
        assert container["readinessProbe"]["httpGet"]["path"] == READY_PATH

    assert sorted(named) == sorted(ROLES)


def test_nothing_runs_as_root_or_writes_to_its_image(objects, services, dockerfile):
    user = re.search(r"^USER (\d+):(\d+)$", dockerfile, re.MULTILINE)
    assert user is not None
    for pod in pods(objects):
        [container] = pod["containers"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert str(pod["securityContext"]["runAsUser"]) == user.group(1) != "0"
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["resources"]["limits"].keys() == {"cpu", "memory"}
        mounts = {mount["name"] for mount in container["volumeMounts"]}
        assert mounts == {volume["name"] for volume in pod["volumes"]}
    assert services["serve"]["user"] == ":".join(user.groups())


def test_what_serves_is_replaced_without_a_gap(objects):
    strategies = {
        one["metadata"]["name"]: one["spec"]["strategy"] for one in of_kind(objects, "Deployment")
    }

    assert strategies["revq-serve"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert strategies["revq-collect"]["type"] == "Recreate"
    [service] = of_kind(objects, "Service")
    [serving] = [
        one for one in of_kind(objects, "Deployment") if one["metadata"]["name"] == "revq-serve"
    ]
    assert service["spec"]["selector"] == serving["spec"]["template"]["metadata"]["labels"]


def test_the_image_has_what_is_pinned_and_the_command(dockerfile):
    command = re.search(r"^CMD (.*)$", dockerfile, re.MULTILINE)

    assert "--require-hashes --requirement requirements-all.txt" in dockerfile
    assert command is not None
    assert understood(yaml.safe_load(command.group(1)))["host"] == "0.0.0.0"
    assert f"EXPOSE {PORT}\n" in dockerfile
    for source in re.findall(r"^COPY ((?!--from).*) \./.*$", dockerfile, re.MULTILINE):
        assert all((PROJECT / name).exists() for name in source.split())


def test_systemd_runs_each_role_with_what_it_knows():
    unit = (DEPLOY / "systemd/revq@.service").read_text()
    [line] = re.findall(r"^ExecStart=\S+/revq (.*)$", unit, re.MULTILINE)
    for role in ROLES:
        filled = line.replace("${REVQ_ROLE}", role).replace("${REVQ_PORT}", str(PORT))
        assert understood(shlex.split(filled))["port"] == PORT


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_no_fault(tmp_path):
    for file in (DEPLOY / "systemd").iterdir():
        text = file.read_text().replace("/opt/revq/bin/revq", sys.executable)
        (tmp_path / file.name).write_text(text)
    (tmp_path / "revq@.service").rename(tmp_path / "revq@score.service")

    checked = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (checked.returncode, checked.stderr) == (0, "")
