"""`revq run`: everything for the configured wikis, or the roles that are asked for."""

import asyncio
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import httpx
import typer
from msgspec.structs import replace
from rich.console import Console

from revision_quality.cli.display import Bar, show_until
from revision_quality.cli.known_wikis import KnownWikis
from revision_quality.cli.level_rules import choosing_of
from revision_quality.cli.listening import listen
from revision_quality.cli.lock import locked
from revision_quality.cli.logs import set_up_logs
from revision_quality.cli.loop import end_within, run_loop
from revision_quality.cli.model_state import ModelState, ModelStates
from revision_quality.cli.parts import Parts
from revision_quality.cli.places import check_places, make_folder
from revision_quality.cli.reload import Reloading
from revision_quality.cli.role import ASKING, EVERY, Role, in_order
from revision_quality.cli.rules import check_aliases, open_rules
from revision_quality.cli.running import Watched
from revision_quality.cli.service import Service, run_service, until_signal
from revision_quality.cli.wiki_tables import has_tables
from revision_quality.cli.wikis import Wikis, http_client, streams_client
from revision_quality.errors import SettingsError
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.settings import Settings, Wiki, check_settings, load_settings
from revision_quality.sources.polling import PollingSource

DEFAULT_FILE = Path("revq.toml")

CLOSE_SECONDS = 5.0
"""How long a stop may take to close what is open, beside the time for what is under way."""

WORTH_A_BAR = 180.0
"""Seconds to catch up with; on a busy wiki one answer may not reach through the overlap either."""

_TOLD_BY_NAME = 20


def run(
    config: Annotated[
        Path | None, typer.Argument(help="Settings file; revq.toml if it is here.")
    ] = None,
    wiki: Annotated[
        list[str] | None, typer.Option(help="Address of a wiki's api.php, instead of a file.")
    ] = None,
    *,
    data: Annotated[Path | None, typer.Option(help="Data folder, instead of the file's.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to serve on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Port of the page; 0: any that is free.")
    ] = None,
    role: Annotated[
        list[Role] | None,
        typer.Option(help="Only this part of the work, may be given again; all by default."),
    ] = None,
) -> None:
    """Poll wikis, score every edit once, and serve recent changes."""

    def read() -> Settings:
        settings = _settings(config, wiki or [])
        return replace(
            settings,
            data_folder=str(data or settings.data_folder),
            web=replace(
                settings.web,
                host=settings.web.host if host is None else host,
                port=settings.web.port if port is None else port,
            ),
        )

    settings = read()
    set_up_logs(settings.logs)
    check_settings(settings)
    check_places(settings)
    roles = frozenset(role or EVERY)
    with ExitStack() as stack:
        if role:
            make_folder(settings.data)
        else:
            stack.enter_context(locked(settings.data))
        # Processes that serve share the port; another's health must not be answered on it.
        is_shared = bool(role) and Role.SERVE in roles
        web = settings.web
        listening = stack.enter_context(listen(web.host, web.port, is_shared=is_shared))
        run_loop(_run(settings, roles, listening, read))


def _settings(config: Path | None, apis: list[str]) -> Settings:
    if apis and config:
        raise SettingsError("give a settings file or --wiki, not both")
    if apis:
        return Settings(wikis=tuple(Wiki(api=api) for api in apis))
    if config is None and not DEFAULT_FILE.exists():
        raise SettingsError(
            "no wiki to score: give --wiki https://example.org/w/api.php,"
            " or a settings file made by `revq init`"
        )
    return load_settings(config or DEFAULT_FILE)


async def _run(
    settings: Settings,
    roles: frozenset[Role],
    listening: socket.socket,
    read: Callable[[], Settings],
) -> None:
    states = ModelStates(settings, makes=bool(roles & {Role.MATERIALISE, Role.SERVE}))
    async with http_client() as client, streams_client() as following:
        choosing_of(settings.levels)
        wikis = Wikis(settings.wikis, client, settings.data)
        known = KnownWikis(settings, wikis, following, client)
        try:
            state = await states.read()
            rules = _rules(settings, state, client)
            if _asks(settings, roles):
                await wikis.connect()
            reloading = Reloading(settings, read, wikis)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloading.reload)
            serving = _Serving(settings, roles, listening)
            ending = asyncio.create_task(until_signal())
            ending.add_done_callback(lambda _: end_within(settings.stop_seconds + CLOSE_SECONDS))
            while True:
                changing = asyncio.create_task(states.changed(state))
                end = asyncio.create_task(_first_of(ending, changing))
                parts = _parts(settings, roles, known, rules, client)
                await _run_parts(settings, parts, serving, known, end)
                changing.cancel()
                if ending.done():
                    break
                state = await states.read()
                rules = _rules(settings, state, client)
        finally:
            await wikis.close()
            await states.close()


def _rules(settings: Settings, state: ModelState, client: httpx.AsyncClient) -> list[ModelRule]:
    rules = state.in_order(open_rules(state.blocks(settings), client))
    check_aliases(settings.ores.aliases, rules)
    return rules


async def _first_of(*tasks: asyncio.Task[None]) -> None:
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)


class _Serving:
    """Gives a listening socket each time that the parts begin: a server closes the one it had."""

    def __init__(
        self, settings: Settings, roles: frozenset[Role], listening: socket.socket
    ) -> None:
        self._listening = listening
        self._is_shared = roles != EVERY and Role.SERVE in roles
        self._has_begun = False
        self._host = settings.web.host
        self._port = listening.getsockname()[1]

    def socket(self) -> socket.socket:
        """Return a socket. Who connects in between waits, or is another process's guest."""
        if not self._is_shared:
            return self._listening.dup()
        if self._has_begun:
            return listen(self._host, self._port, is_shared=True)
        self._has_begun = True
        return self._listening


def _parts(
    settings: Settings,
    roles: frozenset[Role],
    known: KnownWikis,
    rules: Sequence[ModelRule],
    client: httpx.AsyncClient,
) -> Parts:
    return Parts(
        sources=known.sources,
        arriving=known.arriving,
        named=known.named,
        rules=rules,
        wikis=known.asked,
        is_expected=known.wikis.is_expected,
        site_of=known.sites.get,
        client=client,
        consumers=known.consumers,
        roles=roles,
        gate=known.gate,
        watched=Watched(
            known.polling,
            lambda: _unreachable(settings, roles, known.wikis),
            lambda: known.fetching,
        ),
    )


async def _run_parts(
    settings: Settings, parts: Parts, serving: _Serving, known: KnownWikis, end: Awaitable[None]
) -> None:
    roles = parts.roles

    def bars() -> list[Bar]:
        return _bars(known.polling)

    async def watch(service: Service) -> None:
        _tell(settings, roles, known.wikis, service)
        if _asks(settings, roles):
            known.wikis.persevere()
        await show_until(end, service, bars, Console(), counted=False)

    await run_service(settings, parts, serving.socket(), watch)


def _tell(settings: Settings, roles: frozenset[Role], wikis: Wikis, service: Service) -> None:
    connected = list(wikis.connected.values())
    for wiki in connected[:_TOLD_BY_NAME]:
        typer.echo(f"{wiki.info.site.name} ({wiki.wiki_id}), {wiki.info.generator}")
    if len(connected) > _TOLD_BY_NAME:
        typer.echo(f"and {len(connected) - _TOLD_BY_NAME:,} more wikis")
    for api, problem in _unreachable(settings, roles, wikis).items():
        typer.echo(f"Not connected yet: {api} ({problem})", err=True)
    if roles != EVERY:
        typer.echo(f"Roles: {', '.join(in_order(roles))}")
    typer.echo(f"Data folder: {settings.data.absolute()}")
    if Role.SERVE in roles:
        typer.echo(f"Recent changes: {service.url}recent-changes   (Ctrl+C ends)")
    else:
        typer.echo(f"Health: {service.url}readyz   (Ctrl+C ends)")


def _asks(settings: Settings, roles: frozenset[Role]) -> bool:
    """Tell whether the wikis are asked who they are: to keep their tables, too."""
    keeps_tables = Role.MATERIALISE in roles and any(map(has_tables, settings.wikis))
    return bool(roles & ASKING) or keeps_tables


def _unreachable(settings: Settings, roles: frozenset[Role], wikis: Wikis) -> Mapping[str, str]:
    return wikis.unreachable if _asks(settings, roles) else {}


def _bars(polling: Mapping[str, PollingSource]) -> list[Bar]:
    return [
        Bar(f"catching up with {wiki_id}", progress.done, progress.total)
        for wiki_id, source in polling.items()
        if (progress := source.catch_up) and progress.total > WORTH_A_BAR
    ]
