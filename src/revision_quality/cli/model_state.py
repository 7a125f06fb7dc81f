"""Which models there are beside those of the settings, and which one is shown."""

import asyncio
from collections.abc import Sequence
from typing import Any

import structlog
from msgspec import Struct
from sqlalchemy import Connection, inspect

from revision_quality.errors import StoreError
from revision_quality.scoring.model_rule import ModelKey, ModelRule
from revision_quality.settings import ModelBlock, Settings, model_block
from revision_quality.views import shown_model
from revision_quality.views.database import Database
from revision_quality.views.schema import bring_up_to_date
from revision_quality.views.tables import shown_models

_LOOK_SECONDS = 1.0

_log = structlog.get_logger()


class ModelState(Struct, frozen=True):
    """What the views' database says; `number` changes with it."""

    number: tuple[int, int] = (1, 1)
    shadows: tuple[dict[str, Any], ...] = ()
    shown: ModelKey | None = None

    @property
    def added(self) -> list[ModelBlock]:
        """The models beside those of the settings. Raises SettingsError."""
        return [
            model_block(f"shadow model {number}", block)
            for number, block in enumerate(self.shadows, start=1)
        ]

    def blocks(self, settings: Settings) -> list[ModelBlock]:
        """Return the models of the settings, then those beside them. Raises SettingsError."""
        return [*settings.blocks, *self.added]

    def in_order(self, rules: Sequence[ModelRule]) -> list[ModelRule]:
        """Return the rules with that of the shown model first."""
        return sorted(rules, key=lambda rule: rule.key != self.shown)


_UNKNOWN = ModelState(number=(0, 0))
"""What is taken for the state while the database is away; it is not that of any."""


class ModelStates:
    """Reads the state of the views' database, and notices when it changes."""

    def __init__(self, settings: Settings, *, makes: bool) -> None:
        """`makes` has the tables made where they are missing; else there is nothing then."""
        self._database = Database(settings.changes_url)
        self._makes = makes
        self._has_table = False

    async def read(self) -> ModelState:
        """Return the state. Raises StoreError where the tables are to be made."""
        if self._makes:
            await self._database.write(bring_up_to_date)
            return await self._look()
        try:
            return await self._look()
        except StoreError as error:
            _log.warning("the models of the settings alone, for now", error=str(error))
            return _UNKNOWN

    async def changed(self, known: ModelState) -> None:
        """Return when the state is no longer `known`; goes on looking while the store fails."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                number = await self._number()
            except StoreError:
                # Those who keep the view say so.
                continue
            if number != known.number:
                _log.info("the models have changed, taking them up")
                return

    async def _look(self) -> ModelState:
        if not await self._is_there():
            return ModelState()
        return await self._database.read(read_state)

    async def _number(self) -> tuple[int, int]:
        if not await self._is_there():
            return ModelState().number
        return await self._database.read(shown_model.state)

    async def _is_there(self) -> bool:
        """Tell whether the tables are there; once they are, they stay."""
        if not self._has_table and not self._database.is_missing:
            self._has_table = await self._database.read(has_table)
        return self._has_table

    async def close(self) -> None:
        """Close the connections."""
        await self._database.close()


def has_table(connection: Connection) -> bool:
    """Tell whether somebody who keeps the views has made the tables."""
    return inspect(connection).has_table(shown_models.name)


def read_state(connection: Connection) -> ModelState:
    """Read the state, where the tables are there."""
    return ModelState(
        number=shown_model.state(connection),
        shadows=tuple(shown_model.shadows(connection)),
        shown=shown_model.shown(connection),
    )
