"""`revq doctor`: look at every place that the settings name; say what is wrong and what to do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

import httpx
import msgspec
import typer

from revision_quality.cli.diagnosis import Finding, Section, as_text
from revision_quality.cli.doctor_ores import ores_section
from revision_quality.cli.doctor_places import places
from revision_quality.cli.doctor_wiki import rights_and_clock
from revision_quality.cli.pause import DEFAULT_FILE, Config
from revision_quality.cli.rules import open_rules
from revision_quality.cli.wikis import first_contact, http_client, open_api
from revision_quality.errors import ModelError, SettingsError, WikiError
from revision_quality.redaction import redacted
from revision_quality.scoring.model_rule import ModelRule
from revision_quality.settings import Settings, Wiki, check_settings, load_settings


def doctor(
    config: Config = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, a section a line.")] = False,
) -> None:
    """Look at every place that the settings name: what is wrong, and what to do.

    Ends with 1 where something is wrong.
    """
    settings = load_settings(config or DEFAULT_FILE)
    check_settings(settings)
    if not asyncio.run(_examine(settings, as_json=as_json)):
        raise typer.Exit(1)


async def _examine(settings: Settings, *, as_json: bool) -> bool:
    """Tell every section as soon as it is there; return whether all is well."""
    is_well = True
    async with http_client() as client:
        async for section in _sections(settings, client):
            told = msgspec.json.encode(section).decode() if as_json else as_text(section)
            typer.echo(redacted(told))
            is_well = is_well and section.is_well
    return is_well


async def _sections(settings: Settings, client: httpx.AsyncClient) -> AsyncIterator[Section]:
    rules: Sequence[ModelRule] = ()
    try:
        rules = open_rules(settings.blocks, client)
        models = [Finding(f"{rule.model.name} {rule.model.version}") for rule in rules]
    except (ModelError, SettingsError) as error:
        models = [Finding("models", str(error))]
    yield Section("models", models)
    async for section in places(settings, client):
        yield section
    for wiki in settings.wikis:
        async for section in _of_wiki(wiki, client, rules, settings.changes_url):
            yield section


async def _of_wiki(
    wiki: Wiki, client: httpx.AsyncClient, rules: Sequence[ModelRule], views: str
) -> AsyncIterator[Section]:
    try:
        api = open_api(wiki, client)
        info = await first_contact(api)
    except (WikiError, SettingsError) as error:
        yield Section(wiki.api, [Finding("its API", str(error))])
        return
    wiki_id = info.site.wiki_id
    who = Finding(f"{info.site.name} ({wiki_id}), {info.generator}")
    yield Section(wiki.api, [who, *await rights_and_clock(api)])
    if wiki.ores_tables is not None and rules:
        yield await ores_section(wiki.ores_tables, wiki_id, rules, views)
