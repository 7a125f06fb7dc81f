"""What is done with a model: which edits it scores, where it publishes, how much at once."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from revision_quality.errors import SettingsError
from revision_quality.events import streams as names
from revision_quality.levels.level import Level
from revision_quality.models.base import Model
from revision_quality.scoring.matching import Wants, everything

ModelKey = tuple[str, str]
"""The name and the version of a model."""

GROUP = "scoring"
CONCURRENCY = 8


class ModelRule(Struct, frozen=True, kw_only=True):
    """A model and its place in the flow.

    `stream` is where it publishes, `group` the name of its position in page_change, `wants` tells
    the edits that it scores, `concurrency` is how many calls of it may be under way at once, and
    `levels` are the thresholds that it brings.
    """

    model: Model
    stream: str = names.PREDICTION
    group: str = GROUP
    wants: Wants = everything
    concurrency: int = CONCURRENCY
    levels: tuple[Level, ...] = ()

    @property
    def key(self) -> ModelKey:
        """The name and the version of its model."""
        return self.model.name, self.model.version

    def published(self, model_name: str, model_version: str) -> bool:
        """Tell whether a score of this name and version is its model's."""
        return (model_name, model_version) == (self.model.name, self.model.version)


def streams_of(rules: Sequence[ModelRule]) -> tuple[str, ...]:
    """Return the streams of scores, the first model's first."""
    return tuple(dict.fromkeys(rule.stream for rule in rules))


def versions_of(rules: Sequence[ModelRule]) -> dict[str, str]:
    """Return the version of each model by name, the first model's first."""
    found: dict[str, str] = {}
    for rule in rules:
        found.setdefault(rule.model.name, rule.model.version)
    return found


def is_other(rules: Sequence[ModelRule]) -> Callable[[str, str], bool]:
    """Return what tells that a score is of a further model, by its name and version.

    See `other_than`.
    """
    first, *others = (rule.key for rule in rules)
    return other_than(first, others)


def model_named(models: Sequence[ModelKey], named: str) -> ModelKey:
    """Find a model by its version, its name, or name@version. Raises SettingsError."""
    found = [key for key in models if named in (*key, "@".join(key))]
    if len(found) != 1:
        known = ", ".join("@".join(key) for key in models)
        what = "several models are" if found else "no model is"
        raise SettingsError(f"{what} called {named}; there are {known}")
    return found[0]


def other_than(first: ModelKey, others: Sequence[ModelKey]) -> Callable[[str, str], bool]:
    """Return what tells that a score is of one of `others`, by its name and version.

    Scores of another version of the first model are its own, unless one of `others` has that one.
    """

    def tell(name: str, version: str) -> bool:
        if (name, version) == first:
            return False
        return any(name == other[0] != first[0] or (name, version) == other for other in others)

    return tell
