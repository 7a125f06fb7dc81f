"""The levels of whichever model is shown."""

from collections.abc import Mapping

from sqlalchemy import Connection

from revision_quality.recent_changes.wiki_levels import CurrentLevels, WikiLevels
from revision_quality.scoring.model_rule import ModelKey
from revision_quality.views.shown_model import shown


class ShownLevels:
    """Levels that change over when another model is shown: those of `first` until one is."""

    def __init__(self, first: CurrentLevels, by_model: Mapping[ModelKey, CurrentLevels]) -> None:
        self._first = first
        self._by_model = by_model
        self._shown = first

    @property
    def now(self) -> WikiLevels:
        """The levels of every wiki."""
        return self._shown.now

    def look(self, connection: Connection) -> None:
        """See which model a connection to the changes view sees as shown."""
        model = shown(connection)
        self._shown = self._first if model is None else self._by_model.get(model, self._first)


def as_of(levels: CurrentLevels, connection: Connection) -> WikiLevels:
    """Return the levels of the model whose scores a connection to the changes view sees."""
    if isinstance(levels, ShownLevels):
        levels.look(connection)
    return levels.now
