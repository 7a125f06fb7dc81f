"""The models of the settings, opened, each with its place in the flow."""

import re
from collections.abc import Mapping, Sequence

import httpx

from revision_quality.errors import SettingsError
from revision_quality.events import streams as names
from revision_quality.events.stream_config import PREDICTION_SCHEMA, stream_configs
from revision_quality.models.base import Model
from revision_quality.models.registry import levels_of, open_model
from revision_quality.scoring.matching import wanted
from revision_quality.scoring.model_rule import GROUP, ModelRule
from revision_quality.settings import ModelBlock


def open_rules(blocks: Sequence[ModelBlock], client: httpx.AsyncClient) -> list[ModelRule]:
    """Open the models of `blocks`, in their order; `client` is for models on other servers.

    Raises SettingsError naming the block and the key, ModelError.
    """
    rules = [_open(block, client, is_first=not number) for number, block in enumerate(blocks)]
    for number, (block, rule) in enumerate(zip(blocks, rules, strict=True)):
        for earlier, other in zip(blocks[:number], rules[:number], strict=True):
            _check_apart(earlier, other, block, rule)
    return rules


def check_aliases(aliases: Mapping[str, str], rules: Sequence[ModelRule]) -> None:
    """Raise SettingsError for an alias of a model that is not there."""
    known = [rule.model.name for rule in rules]
    for alias, name in aliases.items():
        if name not in known:
            raise SettingsError(
                f"ores.aliases.{alias}: there is no model {name!r}; known are {', '.join(known)}"
            )


def _open(block: ModelBlock, client: httpx.AsyncClient, *, is_first: bool) -> ModelRule:
    model = open_model(block.kind, block.options, client, block.place)
    stream = block.stream or (names.PREDICTION if is_first else stream_of(model))
    _check_stream(block, stream)
    return ModelRule(
        model=model,
        stream=stream,
        group=block.group or _group(model, stream),
        wants=wanted(block.match, block.match_not, block.namespaces, place=block.place),
        concurrency=block.concurrency,
        levels=levels_of(model),
    )


def stream_of(model: Model) -> str:
    """Name the stream of a further model's scores as Wikimedia does, by the model."""
    return f"mediawiki.page_{_slug(model.name)}_prediction_change.v1"


def _group(model: Model, stream: str) -> str:
    """Return the name of a position that holds while versions change and blocks are moved."""
    return f"{GROUP}-{stream}-{_slug(model.name)}"


def _slug(name: str) -> str:
    return re.sub("[^a-z0-9]+", "_", name.lower()).strip("_") or "model"


def _check_stream(block: ModelBlock, stream: str) -> None:
    known = stream_configs().get(stream)
    if known is not None and known.schema_title != PREDICTION_SCHEMA:
        raise SettingsError(
            f"{block.place}.stream: {stream} holds events of {known.schema_title}, no scores:"
            " choose a name of its own"
        )


def _check_apart(one: ModelBlock, other: ModelRule, block: ModelBlock, rule: ModelRule) -> None:
    model, stream = rule.model, rule.stream
    is_same = other.published(model.name, model.version)
    if is_same and other.stream == stream:
        raise SettingsError(
            f"{block.place}: {one.place} publishes scores of {model.name} {model.version} to"
            f" {stream} already: give one of them another version or stream, or remove it"
        )
    if other.group == rule.group:
        raise SettingsError(
            f"{block.place}.group: {one.place} has the position {rule.group} too:"
            " give this block a group of its own, such as the name of what it is for"
        )
