"""The models that a block of the settings can name: the package's own and those of other packages.

A package adds one by an entry point of the group `revision_quality.models`: its name is the block's
`kind`, its object is called with the block's other keys and returns the model.
"""

import inspect
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Annotated, Any, TypeVar

import httpx
import msgspec
from msgspec import Meta, Struct

from revision_quality.errors import ModelError, RevisionQualityError, SettingsError
from revision_quality.levels.level import Level
from revision_quality.models.base import Model
from revision_quality.models.lift_wing import ATTEMPTS, SLOTS, TIMEOUT_SECONDS, LiftWing
from revision_quality.models.lift_wing_protocol import BATCH
from revision_quality.models.revert_risk import RevertRisk
from revision_quality.settings import DEFAULT_KIND, access_token

GROUP = "revision_quality.models"
MAX_VERSION = 32

_Options = TypeVar("_Options", bound=Struct)


class RevertRiskOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`file` is the model file; None for the one that the package ships."""

    file: str | None = None


class LiftWingOptions(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """See `LiftWing`; `access_token_env` names the environment variable with the token."""

    url: Annotated[str, Meta(pattern="^https?://.")]
    name: str = "revertrisk-language-agnostic"
    host: str | None = None
    version: Annotated[str, Meta(min_length=1, max_length=MAX_VERSION)] | None = None
    access_token_env: str | None = None
    sends_text: bool = False
    lang: str | None = None
    langs: dict[str, str] = {}
    batch: Annotated[int, Meta(ge=1, le=BATCH)] = BATCH
    timeout: Annotated[float, Meta(gt=0)] = TIMEOUT_SECONDS
    attempts: Annotated[int, Meta(ge=1, le=10)] = ATTEMPTS
    slots: Annotated[int, Meta(ge=1, le=64)] = SLOTS


def open_model(
    kind: str, options: Mapping[str, Any], client: httpx.AsyncClient, place: str = "model"
) -> Model:
    """Open the model that the block `place` names; `client` is for models on other servers.

    Raises SettingsError for an unknown kind or a wrong option, naming the key; ModelError for a
    model that cannot be loaded, naming the package that it comes from.
    """
    if kind == DEFAULT_KIND:
        own = _convert(options, RevertRiskOptions, place)
        return RevertRisk.load(Path(own.file) if own.file else None)
    if kind == "lift_wing":
        return _lift_wing(_convert(options, LiftWingOptions, place), client, place)
    return _of_entry_point(_find(kind, place), options, place)


def known_kinds() -> list[str]:
    """List what `kind` may be: the package's own kinds, then the installed ones by name."""
    own = [DEFAULT_KIND, "lift_wing"]
    return own + sorted({point.name for point in entry_points(group=GROUP)} - set(own))


def levels_of(model: Model) -> tuple[Level, ...]:
    """Return the default levels that a model brings; none where it has no `levels`."""
    return tuple(getattr(model, "levels", ()))


def _lift_wing(options: LiftWingOptions, client: httpx.AsyncClient, place: str) -> LiftWing:
    key = f"{place}.access_token_env"
    token = access_token(options.access_token_env, key, "the access token")
    return LiftWing(
        options.url,
        options.name,
        client,
        host=options.host,
        version=options.version,
        access_token=token,
        sends_text=options.sends_text,
        lang=options.lang,
        langs=options.langs,
        batch=options.batch,
        timeout=options.timeout,
        attempts=options.attempts,
        slots=options.slots,
    )


def _convert(options: Mapping[str, Any], to: type[_Options], where: str) -> _Options:
    try:
        return msgspec.convert(dict(options), to)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$")
        key = place.rstrip("`")
        known = ", ".join(to.__struct_fields__)
        raise SettingsError(
            f"{where}{key}: {text[0].lower()}{text[1:]}; known are {known}"
        ) from error


def _find(kind: str, place: str) -> EntryPoint:
    found = list(entry_points(group=GROUP, name=kind))
    if not found:
        raise SettingsError(
            f"{place}.kind: there is no model {kind!r}; known are {', '.join(known_kinds())}"
            f" (a package adds one by an entry point of the group {GROUP})"
        )
    if len(found) > 1:
        packages = " and ".join(sorted(_package(point) for point in found))
        raise SettingsError(f"{place}.kind: {packages} both bring a model {kind!r}: remove one")
    return found[0]


def _of_entry_point(point: EntryPoint, options: Mapping[str, Any], place: str) -> Model:
    where = f"model {point.name!r} of the package {_package(point)}"
    try:
        factory = point.load()
    except Exception as error:
        raise ModelError(
            f"{where} cannot be imported from {point.value}: {type(error).__name__}: {error}"
        ) from error
    if not callable(factory):
        raise ModelError(f"{where}: {point.value} cannot be called: name a class or a function.")
    _check_options(factory, options, where, place)
    try:
        model = factory(**options)
    except RevisionQualityError:
        raise
    except Exception as error:
        raise ModelError(f"{where} cannot be opened: {type(error).__name__}: {error}") from error
    return _checked(model, where)


def _check_options(factory: Any, options: Mapping[str, Any], where: str, place: str) -> None:
    try:
        signature = inspect.signature(factory)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**options)
    except TypeError as error:
        raise SettingsError(f"{place}: {where} does not take these options: {error}") from error


def _checked(model: Any, where: str) -> Model:
    for key, longest in (("name", None), ("version", MAX_VERSION)):
        value = getattr(model, key, None)
        if not isinstance(value, str) or not value or len(value) > (longest or len(value)):
            wanted = f"a text of 1 to {longest} characters" if longest else "a text"
            raise ModelError(f"{where}: its {key} is {value!r}; give it {wanted}.")
    if not inspect.iscoroutinefunction(getattr(model, "predict", None)):
        raise ModelError(f"{where} has no `async def predict`: derive it from TextModel.")
    opened: Model = model
    return opened


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "(unknown)"
