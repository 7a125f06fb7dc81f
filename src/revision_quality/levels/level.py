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
