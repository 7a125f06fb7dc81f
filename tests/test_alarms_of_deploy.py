"""The alarm files speak of metrics that there are, and lead to pages that there are."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from revision_quality.cli.metrics import METRICS

PROJECT = Path(__file__).parents[1]
PROMETHEUS = PROJECT / "deploy/prometheus"
RULES = PROMETHEUS / "rules.yml"
TESTS = ("tests.yml", "tests-of-days.yml")
GRAFANAS_COLUMNS = 24
OF_A_PROCESS = {
    "up",
    "process_open_fds",
    "process_max_fds",
    "process_resident_memory_bytes",
}
_SUFFIXES = {
    "counter": ("_total",),
    "gauge": ("",),
    "histogram": ("_bucket", "_sum", "_count"),
}
TOLD = {f"{one.name}{end}": one for one in METRICS for end in _SUFFIXES[one.kind]}


def alarms() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def panels() -> list[dict[str, Any]]:
    dashboard = json.loads((PROJECT / "deploy/grafana/dashboard.json").read_text())
    found: list[dict[str, Any]] = dashboard["panels"]
    return found


def targets() -> list[dict[str, str]]:
    return [target for panel in panels() for target in panel["targets"]]


def expressions() -> list[str]:
    return [alarm["expr"] for alarm in alarms()] + [target["expr"] for target in targets()]


def promtool(*arguments: str | Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed: it is in Debian's package prometheus")
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("expression", expressions())
def test_every_metric_that_is_named_is_told(expression):
    named = set(re.findall(r"\b(?:revq_\w+|process_\w+|up)\b(?=\s*[{\[)>=]|\s|$)", expression))

    assert named
    assert named <= TOLD.keys() | OF_A_PROCESS


@pytest.mark.parametrize("expression", expressions())
def test_every_label_that_is_asked_for_is_the_metrics_own(expression):
    for name, selected in re.findall(r"(revq_\w+)\{([^}]*)\}", expression):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!=|=|!~)", selected))
        assert labels <= {*TOLD[name].labels, "job", "instance"}, name


def test_every_metric_is_on_the_dashboard_or_in_an_alarm():
    seen = " ".join(expressions())
    unseen = {one.name for one in METRICS if one.name not in seen}

    assert unseen == {
        "revq_build_info",
        "revq_changes",
        "revq_events_repeated",
        "revq_left_in_stream",
        "revq_view_events",
    }


@pytest.mark.parametrize("alarm", alarms(), ids=lambda alarm: alarm["alert"])
def test_every_alarm_leads_to_its_section_of_the_runbook(alarm):
    file, _, anchor = alarm["annotations"]["runbook_url"].partition("#")
    sections = re.split(r"^## ", (PROJECT / file).read_text(), flags=re.MULTILINE)
    by_anchor = {section.partition("\n")[0].lower(): section for section in sections[1:]}

    assert anchor == alarm["alert"].lower()
    for part in ("**Means:**", "**Look:**", "**Do:**"):
        assert part in by_anchor[anchor]


def test_the_runbook_has_no_section_without_an_alarm():
    headings = re.findall(r"^## (\w+)$", (PROJECT / "docs/runbook.md").read_text(), re.MULTILINE)

    assert headings == [alarm["alert"] for alarm in alarms()]


def test_prometheus_itself_takes_the_rules():
    promtool("check", "rules", PROMETHEUS / "rules.yml")


@pytest.mark.parametrize("file", TESTS)
def test_the_alarms_are_on_when_they_should_be(file):
    promtool("test", "rules", PROMETHEUS / file)


def test_every_alarm_is_tried_on_and_off():
    tried = {True: set[str](), False: set[str]()}
    for file in TESTS:
        for story in yaml.safe_load((PROMETHEUS / file).read_text())["tests"]:
            for each in story["alert_rule_test"]:
                tried[bool(each["exp_alerts"])].add(each["alertname"])

    assert tried[True] == tried[False] == {alarm["alert"] for alarm in alarms()}


def test_prometheus_itself_takes_the_queries_of_the_dashboard(tmp_path):
    rules = [
        {"record": f"panel:{number}", "expr": target["expr"].replace("$wiki", ".*")}
        for number, target in enumerate(targets())
    ]
    (tmp_path / "rules.yml").write_text(
        yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]})
    )

    promtool("check", "rules", tmp_path / "rules.yml")


@pytest.mark.parametrize("target", targets(), ids=lambda target: target["expr"])
def test_a_legend_names_what_its_query_keeps(target):
    expression = target["expr"]
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", expression))))
    if not re.search(r"\b(?:sum|max|min|count)\b", expression):
        (name,) = re.findall(r"\b(?:revq|process)_\w+", expression)
        kept = {"instance", "job", *(TOLD[name].labels if name in TOLD else ())}

    assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= kept - {"le"}


def test_the_dashboard_has_a_place_for_each_panel():
    places = [panel["gridPos"] for panel in panels()]
    taken = {
        (at["x"] + x, at["y"] + y) for at in places for x in range(at["w"]) for y in range(at["h"])
    }

    assert len(taken) == sum(at["w"] * at["h"] for at in places), "panels overlap"
    assert all(at["x"] + at["w"] <= GRAFANAS_COLUMNS for at in places)
    assert len({panel["id"] for panel in panels()}) == len(places)
