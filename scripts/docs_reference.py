"""The reference pages of the documentation, made from the code: a hook of MkDocs.

Settings, verbs, URLs, event fields and metrics are told by what reads them: a page cannot say
anything else. Nothing of it is kept in a file.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import typer
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from msgspec import Struct

from revision_quality.cli.metrics import METRICS
from revision_quality.cli.verbs import VERBS, load
from revision_quality.events import streams
from revision_quality.events.error import ErrorEvent
from revision_quality.events.page_change import PageChange
from revision_quality.events.pause import Pause
from revision_quality.events.prediction import PredictionChange
from revision_quality.events.prediction_error import PredictionError
from revision_quality.events.revision_change import TagsChange, VisibilityChange
from revision_quality.events.verdict import Verdict
from revision_quality.settings import SECTIONS, ModelBlock
from revision_quality.web import (
    alarms,
    event_operations,
    health,
    level_operations,
    lift_wing_operations,
    metrics,
    models_page,
    openapi,
    ores,
    page_operations,
    scores,
    status,
    verdicts,
)
from revision_quality.web.operation import Operation

Json = Mapping[str, Any]

EVENTS: tuple[type[Struct], ...] = (
    PageChange,
    TagsChange,
    VisibilityChange,
    PredictionChange,
    PredictionError,
    Verdict,
    ErrorEvent,
    Pause,
)
OPERATIONS: tuple[Operation, ...] = tuple(
    operation
    for module in (
        page_operations,
        scores,
        lift_wing_operations,
        ores,
        event_operations,
        verdicts,
        level_operations,
        models_page,
        alarms,
        health,
        status,
        metrics,
        openapi,
    )
    for operation in module.OPERATIONS
)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for name, make in PAGES.items():
        files.append(File.generated(config, f"reference/{name}.md", content=make()))
    return files


def settings_page() -> str:
    """Return the page of the settings file."""
    parts = [
        "# Settings",
        "`revq run revq.toml` reads one TOML file; `revq init --wiki URL` writes one with comments."
        " What is wrong in it is told with the key and what was expected. In addresses (`url`,"
        " `database`) and in `options`, `${NAME}` stands for an environment variable and"
        " `${file:/path}` for the content of a file. A running `revq` reads the file again at"
        " `kill -HUP`, and says what needs a restart.",
    ]
    for key, kind in {**SECTIONS, "model": ModelBlock}.items():
        parts.append(_block(_heading(key), kind))
    return _page(parts)


def _heading(key: str) -> str:
    if not key:
        return "The file"
    return f"`[[{key}]]`" if key == "wikis" else f"`[{key}]`"


def _block(heading: str, kind: type[Struct]) -> str:
    (_,), components = msgspec.json.schema_components([kind])
    own = components[kind.__name__]
    attributes = _attribute_texts(kind)
    rows = []
    for name, schema in own["properties"].items():
        if name in ("place", "options") and kind is ModelBlock:
            continue
        default = "required" if name in own.get("required", ()) else _default(schema)
        rows.append((f"`{name}`", _kind(schema), default, attributes.get(name, "")))
    table = _table(("Key", "Value", "Default", ""), rows)
    return f"## {heading}\n\n{_prose(kind)}\n\n{table}"


def _attribute_texts(kind: type[Struct]) -> dict[str, str]:
    """Return the strings that stand below a class's attributes."""
    lines, found, name = inspect.getsource(kind).splitlines(), dict[str, str](), ""
    for number, line in enumerate(lines):
        stripped = line.strip()
        if line.startswith("    ") and ":" in stripped and not stripped.startswith('"""'):
            name = stripped.partition(":")[0]
        elif stripped.startswith('"""') and name.isidentifier() and number > 1:
            text = " ".join(one.strip() for one in lines[number:]).split('"""')[1]
            found.setdefault(name, text)
            name = ""
    return found


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"block {name}"
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    told = str(schema.get("type", "any"))
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    if low is not None:
        word = "above " if "exclusiveMinimum" in schema else ""
        told += f", {word}{low}" + (f" to {schema['maximum']}" if "maximum" in schema else "")
    if "items" in schema and isinstance(schema["items"], Mapping):
        told += f" of {_kind(schema['items'])}"
    if "pattern" in schema:
        told += f", `{schema['pattern']}`".replace("|", "\\|")
    return told


def _default(schema: Json) -> str:
    value = schema.get("default")
    if value is None or isinstance(value, dict):
        return "" if value is None or value else "none"
    return f"`{msgspec.json.encode(value).decode()}`"


def verbs_page() -> str:
    """Return the page of the command line."""
    parts = ["# Verbs", "`revq --help` lists them, `revq VERB --help` tells of one."]
    for name, line in VERBS.items():
        command = load(name)
        context = typer.Context(command, info_name=f"revq {name}")
        usage = " ".join(command.get_usage(context).split()).removeprefix("Usage: ")
        rows = [(_parameter(one), str(getattr(one, "help", "") or "")) for one in command.params]
        parts += [f"## `revq {name}`", line, f"```\n{usage}\n```"]
        parts.append(_table(("Argument", "Meaning"), rows))
    return _page(parts)


def _parameter(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{str(parameter.name).upper()}`"
    names = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{one}`" for one in names)


def urls_page() -> str:
    """Return the page of the HTTP API."""
    parts = [
        "# URLs",
        "Every call; a running `revq` shows them with their schemas at `/docs`, and as an OpenAPI"
        " document at `/openapi.json`.",
    ]
    for tag in dict.fromkeys(one.tag for one in OPERATIONS):
        parts.append(f"## {tag}")
        for one in (each for each in OPERATIONS if each.tag == tag):
            parts += [f"### `{one.method} {one.template}`", one.summary + "."]
            if one.also:
                parts.append("Also " + ", ".join(f"`{path}`" for path in one.also) + ".")
            rows = [(f"`{each.name}`", each.place, each.description) for each in one.parameters]
            if rows:
                parts.append(_table(("Parameter", "In", "Meaning"), rows))
            answers = [(str(code), reply.description) for code, reply in one.replies.items()]
            parts.append(_table(("Answer", "Meaning"), answers))
    return _page(parts)


def events_page() -> str:
    """Return the page of the events and their fields."""
    rows = [
        (f"`{value}`", name.lower().replace("_", " "))
        for name, value in vars(streams).items()
        if name.isupper() and isinstance(value, str)
    ]
    parts = [
        "# Events",
        "Events are JSON; unknown fields are let through, absent ones are null.",
        "## Streams",
        _table(("Stream", ""), rows),
    ]
    _, components = msgspec.json.schema_components(EVENTS)
    order = [kind.__name__ for kind in EVENTS]
    for name in [*order, *sorted(components.keys() - set(order))]:
        schema = components[name]
        fields = [
            (
                f"`{field}`",
                _kind(one).replace("block ", ""),
                "yes" if field in schema.get("required", ()) else "",
            )
            for field, one in schema.get("properties", {}).items()
        ]
        if not fields:
            values = ", ".join(f"`{one}`" for one in schema.get("enum", ()))
            parts += [f"## {name}", f"{schema.get('description', '')}\n\n{values}"]
            continue
        parts += [f"## {name}", schema.get("description", "")]
        parts.append(_table(("Field", "Value", "Required"), fields))
    return _page(parts)


def metrics_page() -> str:
    """Return the page of the metrics."""
    rows = [
        (
            f"`{one.name}{'_total' if one.kind == 'counter' else ''}`",
            one.kind,
            ", ".join(f"`{label}`" for label in one.labels),
            one.text,
        )
        for one in METRICS
    ]
    return _page(
        [
            "# Metrics",
            "Every process tells these at `/metrics`, beside `process_*` (memory, file handles)."
            " Labels are bounded: of each metric the first 5,000 combinations are told apart, what"
            " comes beyond them counts as `other`. Alarms and a dashboard are in `deploy/`; the"
            " [runbook](../runbook.md) says what to do.",
            _table(("Metric", "Kind", "Labels", "Meaning"), rows),
        ]
    )


def _prose(kind: type) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, row))} |" for row in lines)


def _cell(text: str) -> str:
    return (
        " ".join(text.split()).replace("<", "&lt;") if "`" not in text else " ".join(text.split())
    )


def _page(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "settings": settings_page,
    "verbs": verbs_page,
    "urls": urls_page,
    "events": events_page,
    "metrics": metrics_page,
}
