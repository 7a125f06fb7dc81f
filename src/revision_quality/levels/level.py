"""A named threshold with what it was measured to do."""

from msgspec import Struct


class Level(Struct, frozen=True, kw_only=True):
    """A named threshold; it holds where `score >= threshold`.

    `precision`, `recall` and `flag_rate` are shares, 0 to 1, measured on `n` labelled edits at the
    natural rate: of the flagged edits the share reverted, of the reverted edits the share flagged,
    and the share of all edits that is flagged. For `likelygood`, which holds where
    `score < threshold`, they are those of the edits below the threshold, and `precision` is the
    share of them that nobody reverted. `target` says in ORES's words what the threshold was
    chosen for.
    """

    name: str
    threshold: float
    precision: float
    recall: float
    flag_rate: float
    target: str
    n: int = 0


class KindQuality(Struct, frozen=True, kw_only=True):
    """What a level does to the edits of one kind of editor.

    `flag_rate` is the share of their edits that the level holds for, `false_positive_rate` of
    those that nobody reverted; both 0 to 1, None without such edits.
    """

    kind: str
    edits: int
    flag_rate: float | None
    false_positive_rate: float | None


class MeasuredLevel(Level, frozen=True, kw_only=True):
    """A level measured on a wiki's own labelled edits, or on those of wikis like it.

    `low` and `high` are where the precision measured over a following period will be, in 95 of 100
    cases; `recall_low` and `recall_high` the 95 % interval of the recall. `edits_a_day` is how many
    edits the level holds for on the wiki. `reverted` is how many of the `n` labelled edits were
    reverted. `pooled` names the wikis whose edits were counted as well: empty where the wiki's own
    sufficed. `kinds` tells what the level does to the kinds of editors.
    """

    low: float
    high: float
    recall_low: float
    recall_high: float
    false_positive_rate: float
    edits_a_day: float
    reverted: int
    pooled: tuple[str, ...] = ()
    kinds: tuple[KindQuality, ...] = ()


class Withheld(Struct, frozen=True, kw_only=True):
    """A level that is not offered, and why."""

    name: str
    target: str
    reason: str
