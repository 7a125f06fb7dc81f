"""`revq status`: how a running service is, in the terminal."""

from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from revision_quality.cli.pause import DEFAULT_FILE, Config
from revision_quality.errors import SettingsError, StoreError
from revision_quality.settings import Settings, access_token, load_settings
from revision_quality.web.status import STATUS_PATH, Status, span, stamp, worst_first

_SECONDS = 10.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (where to ask, not to serve)
_STYLES = {"healthy": "green", "behind": "yellow", "failing": "bold red", "paused": "dim"}


def status(
    config: Config = None,
    *,
    url: Annotated[
        str | None, typer.Option(help="Address of the service, instead of the file's.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Ask a running revq how each wiki, model and view is.

    Ends with 1 where something needs a look.
    """
    settings = _settings(config)
    address = (url or _address(settings)).rstrip("/")
    body = _ask(address, settings)
    found = msgspec.json.decode(body, type=Status)
    if as_json:
        typer.echo(body.decode())
    else:
        show(found, Console())
    if not found.is_well:
        raise typer.Exit(1)


def _settings(config: Path | None) -> Settings:
    if config is None and not DEFAULT_FILE.exists():
        return Settings()
    return load_settings(config or DEFAULT_FILE)


def _address(settings: Settings) -> str:
    host = _EVERYWHERE.get(settings.web.host, settings.web.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.web.port}"


def _ask(address: str, settings: Settings) -> bytes:
    token = access_token(settings.web.operator_token_env, "web.operator_token_env", "the token")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        answer = httpx.get(f"{address}{STATUS_PATH}.json", headers=headers, timeout=_SECONDS)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise StoreError(
            f"no revq answers at {address} ({str(error) or type(error).__name__}):"
            " start it with `revq run`, or name another address with --url"
        ) from error
    if answer.status_code == 401:
        raise SettingsError(f"{address} asks for the operator's token: web.operator_token_env")
    if answer.status_code != 200:
        raise StoreError(f"{address} answers HTTP {answer.status_code}: is it a revq?")
    return answer.content


def show(found: Status, console: Console) -> None:
    """Print a status."""
    verdict = Text("All is well." if found.is_well else "Something needs a look.")
    verdict.stylize("green" if found.is_well else "bold red")
    roles = ", ".join(f"{role}: {state}" for role, state in found.roles.items())
    console.print(verdict, f"revq {found.version}, {roles}; since {stamp(found.begun)}")
    for problem in found.problems:
        console.print(Text(f"  {problem}", style="red"))
    for alarm in found.alarms:
        console.print(Text(f"  {alarm.message} (since {stamp(alarm.since)})", style="red"))
    for table in (_wikis(found), _models(found), _views(found)):
        if table.row_count:
            console.print(table)
    for api, problem in found.unreachable.items():
        console.print(Text(f"Not connected yet: {api} ({problem})", style="red"))


def _wikis(found: Status) -> Table:
    table = _table(
        "Wiki", "State", "Since", "Collected", "Waiting", "Oldest", "Coverage", "Problem"
    )
    for wiki_id, wiki in worst_first(found):
        coverage = "" if wiki.coverage is None else f"{wiki.coverage:.1%}"
        table.add_row(
            wiki_id,
            Text(wiki.state, style=_STYLES.get(wiki.state, "")),
            span((found.now - wiki.since).total_seconds()),
            span(wiki.collecting_seconds),
            "" if wiki.waiting is None else f"{wiki.waiting:,}",
            span(wiki.scoring_seconds) if wiki.waiting else "",
            coverage,
            Text(wiki.problem or ""),
        )
    return table


def _models(found: Status) -> Table:
    table = _table("Model", "Version", "Waiting", "Unread", "Since the start")
    for model in found.models:
        outcomes = ", ".join(f"{n:,} {state}" for state, n in model.outcomes.items())
        name = Text(model.name)
        if model.is_paused:
            name.append(" (paused)", style="dim")
        unread = "" if model.unread is None else f"{model.unread:,}"
        table.add_row(name, model.version, f"{model.waiting:,}", unread, outcomes)
    return table


def _views(found: Status) -> Table:
    table = _table("View", "State", "Behind")
    for view in found.views:
        behind = "" if view.behind is None else f"{view.behind:,}"
        table.add_row(view.name, "in step" if view.has_caught_up else "catching up", behind)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
