"""Which scores a wiki's ORES tables get: of which models, of which edits."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from revision_quality.errors import SettingsError
from revision_quality.ores_tables_block import RISK, OresTablesBlock

_NAMES = (RISK, "damaging", "reverted")
"""The extension's models whose class 1 says that an edit is bad ($wgOresModelClasses)."""

UNLISTED_SECONDS = 600
"""How old an edit may be that is not in recent changes yet; later it is taken to be purged."""

_LONGEST_VERSION = 32
"""Characters of `oresm_version`."""


class OresModel(Struct, frozen=True):
    """A model version that is to be the current one: its name in the extension, and its own."""

    name: str
    model_name: str
    version: str


class RecentEdit(Struct, frozen=True):
    """What of an edit decides whether it is left out."""

    namespace: int
    is_bot: bool
    is_autopatrolled: bool


class KnownEdit(Struct, frozen=True):
    """A revision that the wiki has. `edit` is its row in recent changes, if it has one.

    `is_listed` tells whether it is there at all, as an edit or as something else, like a move.
    """

    is_hidden: bool
    is_listed: bool
    edit: RecentEdit | None


class OresPolicy(Struct, frozen=True):
    """Which edits are left out of the tables; see `OresTablesBlock`."""

    excludes_bots: bool = True
    excludes_autopatrolled: bool = False
    namespaces: tuple[int, ...] | None = None

    def wants(self, edit: RecentEdit) -> bool:
        """Tell whether an edit's score belongs into the tables."""
        if self.excludes_bots and edit.is_bot:
            return False
        if self.excludes_autopatrolled and edit.is_autopatrolled:
            return False
        return self.namespaces is None or edit.namespace in self.namespaces

    def belongs(self, known: KnownEdit | None, told: RecentEdit, age: float) -> bool:
        """Tell whether an edit of `age` seconds belongs into the tables.

        By what the wiki knows of it; by what its event `told` while recent changes may come.
        """
        if known is None or known.is_hidden:
            return False
        if known.edit is not None:
            return self.wants(known.edit)
        return not known.is_listed and age < UNLISTED_SECONDS and self.wants(told)


def policy_of(block: OresTablesBlock) -> OresPolicy:
    """Return the policy that the settings give."""
    return OresPolicy(block.excludes_bots, block.excludes_autopatrolled, block.namespaces)


def models_of(
    block: OresTablesBlock, versions: Mapping[str, str], place: str = "wikis.ores_tables"
) -> list[OresModel]:
    """Return the models of a block; `versions` has those that run by name, the first one first.

    Raises SettingsError for a name that the extension or this instance does not have.
    """
    chosen = block.models or {RISK: next(iter(versions))}
    return [_model(name, own, versions, f"{place}.models") for name, own in chosen.items()]


def _model(name: str, own: str, versions: Mapping[str, str], place: str) -> OresModel:
    if name not in _NAMES:
        raise SettingsError(
            f"{place}.{name}: the extension shows no such risk; choose one of {_listed(_NAMES)}"
        )
    if own not in versions:
        raise SettingsError(
            f"{place}.{name}: there is no model {own!r}; known are {_listed(list(versions))}"
        )
    version = versions[own]
    if len(version) > _LONGEST_VERSION:
        raise SettingsError(
            f"{place}.{name}: the version {version!r} of {own} has more than {_LONGEST_VERSION}"
            " characters, the tables take no more: give the model a shorter one"
        )
    return OresModel(name, own, version)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
