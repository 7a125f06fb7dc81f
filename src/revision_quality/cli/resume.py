"""`revq resume`: let a paused wiki or model go on."""

from revision_quality.cli.pause import Config, OfModel, OfWiki, change


def resume(config: Config = None, *, wiki: OfWiki = None, model: OfModel = None) -> None:
    """Let a paused wiki or model go on: what happened meanwhile is caught up with."""
    change(config, wiki or [], model or [], is_paused=False)
