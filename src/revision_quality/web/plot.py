"""Plots as SVG, made here so that a page needs no script to show them."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from msgspec import Struct

from revision_quality.levels.level import Level

WIDTH, HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 12, 26, 34
_INSIDE_WIDTH, _INSIDE_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM


Points = Iterable[tuple[float, float | None]]
"""Pairs of x and y, each a share."""


class Mark(Struct, frozen=True):
    """A text at a place of the plot, `at` being its x or y."""

    at: float
    text: str


class Line(Struct, frozen=True):
    """A curve: its name, which is its style, and the points of an SVG polyline."""

    name: str
    points: str


class Bar(Struct, frozen=True):
    """A bar from its top down to the bottom, and its lower part."""

    x: float
    width: float
    y: float
    height: float
    part_y: float
    part_height: float
    title: str


class Plot(Struct, frozen=True, kw_only=True):
    """What the template draws; `band` is an SVG polygon, "" for none."""

    across: Sequence[Mark]
    up: Sequence[Mark]
    lines: Sequence[Line] = ()
    band: str = ""
    levels: Sequence[Mark] = ()
    bars: Sequence[Bar] = ()
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    top: float = _TOP
    bottom: float = HEIGHT - _BOTTOM


class _Point(Protocol):
    @property
    def threshold(self) -> float: ...
    @property
    def precision(self) -> float | None: ...
    @property
    def recall(self) -> float | None: ...
    @property
    def flag_rate(self) -> float | None: ...
    @property
    def low(self) -> float | None: ...
    @property
    def high(self) -> float | None: ...


class _Day(Protocol):
    @property
    def day(self) -> object: ...
    @property
    def edits(self) -> int: ...
    @property
    def reverted(self) -> int: ...


def curve_plot(points: Sequence[_Point], levels: Iterable[Level]) -> Plot | None:
    """Return precision with its band, recall and flag rate over the threshold; None of nothing."""
    if not points:
        return None
    low = [(point.threshold, point.low) for point in points]
    high = [(point.threshold, point.high) for point in points]
    return Plot(
        across=[Mark(_x(n / 5), f"{n / 5:.1f}") for n in range(6)],
        up=[Mark(_y(n / 4), f"{n * 25} %") for n in range(5)],
        lines=[
            Line(name, _polyline([(point.threshold, getattr(point, name)) for point in points]))
            for name in ("precision", "recall", "flag_rate")
        ],
        band=f"{_polyline(high)} {_polyline(low[::-1])}",
        levels=[Mark(_x(level.threshold), level.name) for level in levels],
    )


def pair_plot(shown: Points, other: Points) -> Plot:
    """Return a curve of each of two models, both axes from 0 to 1; a point without a y is none."""
    return Plot(
        across=[Mark(_x(n / 4), f"{n * 25} %") for n in range(5)],
        up=[Mark(_y(n / 4), f"{n * 25} %") for n in range(5)],
        lines=[Line("shown", _polyline(shown)), Line("other", _polyline(other))],
    )


def volume_plot(days: Sequence[_Day]) -> Plot | None:
    """Return the edits of each day as bars, with those that were reverted; None of no days."""
    most = max((day.edits for day in days), default=0)
    if not most:
        return None
    step = -(-most // 4)
    most = 4 * step
    each = _INSIDE_WIDTH / len(days)
    bars = []
    for number, day in enumerate(days):
        top, part = _y(day.edits / most), _y(day.reverted / most)
        bottom = HEIGHT - _BOTTOM
        title = f"{day.day}: {day.edits:,} edits, {day.reverted:,} reverted"
        x = _LEFT + number * each
        bars.append(
            Bar(_short(x), _short(each * 0.8), top, bottom - top, part, bottom - part, title)
        )
    ends = {0: days[0], len(days) - 1: days[-1]}
    return Plot(
        across=[Mark(_LEFT + (n + 0.4) * each, f"{day.day}") for n, day in ends.items()],
        up=[Mark(_y(n / 4), f"{step * n:,}") for n in range(5)],
        bars=bars,
    )


def _polyline(points: Points) -> str:
    return " ".join(f"{_x(x)},{_y(y)}" for x, y in points if y is not None)


def _x(share: float) -> float:
    return _short(_LEFT + share * _INSIDE_WIDTH)


def _y(share: float) -> float:
    return _short(_TOP + (1 - share) * _INSIDE_HEIGHT)


def _short(number: float) -> float:
    return round(number, 1)
