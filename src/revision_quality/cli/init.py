"""`revq init`: ask a wiki's API, write the settings file."""

import asyncio
import json
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from revision_quality.cli.wikis import first_contact, http_client, open_api
from revision_quality.errors import SettingsError
from revision_quality.settings import Wiki
from revision_quality.wiki.siteinfo import SiteInfo

_FILE = Template("""\
# Settings of revq. Start it with: revq run $file
# Lines that begin with # show what holds if you leave them out.

# Streams, views and positions are kept here. Relative paths start at this file's folder.
# data_folder = "revq-data"

# One block for each wiki.
# $name, $generator, wiki_id $wiki_id
[[wikis]]
api = $api
# Seconds between two looks at the recent changes, and how far each looks back.
# interval = 3.0
# overlap = 60.0
# Requests under way at once.
# slots = 2
# Only for a wiki that its users alone may read: the environment variable that holds an
# OAuth 2 access token.
# access_token_env = "REVQ_TOKEN"

[web]
# Everyone who reaches this address sees the page; 127.0.0.1 is this machine alone.
# host = "127.0.0.1"
# port = 8080
# Take the edits that a MediaWiki with the extension EventBus posts to /v1/events: whoever
# reaches the port can then post.
# accepts_events = false
# Take the scores of another revq too.
# accepts_scores = false

[model]
# revert_risk is the model in the package; lift_wing one on another server.
# kind = "revert_risk"
# A model file made by `revq train`, instead of the one in the package.
# file = "model.npz"
# More models are more [[models]] blocks with the same keys: docs/add-a-model.md.

# Follow an EventStreams service, listen for the wiki's RCFeed, publish the scores to an EventGate:
# docs/protocols-events.md.
# [event_streams]
# [rc_feed]
# [event_gate]

[streams]
# url = "sqlite:///revq-data/streams.sqlite"
# keep_days = 31

[changes_view]
# url = "sqlite:///revq-data/changes.sqlite"
# Rows of older edits are dropped; MediaWiki itself keeps recent changes for 90 days.
# keep_days = 90
""")


def init(
    wiki: Annotated[str, typer.Option(help="Address of the wiki's api.php.")],
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("revq.toml"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Ask a wiki's API who it is, and write a settings file with comments."""
    if out.exists() and not force:
        raise SettingsError(f"{out} is there already: choose another with --out, or --force")
    info = asyncio.run(_ask(wiki))
    try:
        out.write_text(toml(wiki, info, out.name), encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{out} cannot be written ({error.strerror})") from error
    typer.echo(f"{out} written for {info.site.name} ({info.site.wiki_id}).")
    typer.echo(f"Start with: revq run {out}")


def toml(api: str, info: SiteInfo, file: str) -> str:
    """Return the text of a settings file for one wiki."""
    return _FILE.substitute(
        api=json.dumps(api, ensure_ascii=False),
        file=_one_line(file),
        name=_one_line(info.site.name),
        generator=_one_line(info.generator),
        wiki_id=_one_line(info.site.wiki_id),
    )


def _one_line(text: str) -> str:
    """Write a text as a part of a comment: TOML allows no control characters there."""
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


async def _ask(url: str) -> SiteInfo:
    async with http_client() as client:
        return await first_contact(open_api(Wiki(api=url), client))
