"""A report as one HTML page: tables and plots, nothing loaded from elsewhere."""

from collections.abc import Sequence
from importlib import resources

import jinja2
from msgspec import Struct

from revision_quality.training.evaluate import Report
from revision_quality.training.metrics import RATIOS, Figure, Figures

FIGURES = {
    "roc_auc": "ROC AUC",
    "average_precision": "Average precision",
    "precision_at_recall_075": "Precision at recall 0.75",
    "recall_at_fpr_001": "Recall at 1 % false positive rate",
    "recall_at_fpr_0001": "Recall at 0.1 % false positive rate",
    "brier": "Brier score",
    "calibration_error": "Expected calibration error",
    "disparate_impact": "Disparate impact (anonymous : registered)",
}
_SIDE = 100.0
_SMALLEST_RATE = 1e-4


class Line(Struct, frozen=True):
    """A line of a plot: SVG points in a square of 100, the origin at the bottom left."""

    name: str
    points: str


def _points(pairs: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x * _SIDE:.2f},{(1 - y) * _SIDE:.2f}" for x, y in pairs)


def _plots(report: Report) -> dict[str, list[Line]]:
    """Lines of precision over recall, recall over false positives, reverted over score."""
    return {
        "Precision over recall": [
            Line(each.name, _points([(p.recall, p.precision) for p in each.curve]))
            for each in report.scorers
        ],
        "Recall over false positive rate": [
            Line(each.name, _points([(p.false_positive_rate, p.recall) for p in each.curve]))
            for each in report.scorers
        ],
        "Share reverted over score": [
            Line(each.name, _points([(b.score, b.reverted) for b in each.reliability]))
            for each in report.scorers
            if len(each.reliability) > 2
        ],
    }


def _shown(figure: Figure | None) -> str:
    if figure is None:
        return "-"
    digits = 1 if figure.value >= 2 else 4
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f}-{figure.high:.{digits}f})"


def rows(figures: Sequence[Figures | None]) -> list[tuple[str, list[str]]]:
    """Return a table's rows: each figure's title and its value with interval for each scorer."""
    return [
        (title, [_shown(getattr(each, name)) if each else "-" for each in figures])
        for name, title in FIGURES.items()
    ]


def groups(report: Report) -> dict[str, list[tuple[str, list[str]]]]:
    """Return each table's rows by its title: of all edits, of each kind of editor, the ratios."""
    found = {
        "All edits": rows([each.all for each in report.scorers]),
        "Anonymous editors": rows([each.anonymous for each in report.scorers]),
        "Registered editors": rows([each.registered for each in report.scorers]),
    }
    if any(each.times_recipe for each in report.scorers):
        found["All edits, times the published recipe's"] = [
            (FIGURES[name], [_shown(each.times_recipe.get(name)) for each in report.scorers])
            for name in RATIOS
        ]
    return found


def render(report: Report) -> str:
    """Return the page."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    source = resources.files("revision_quality.training") / "report.html.j2"
    return environment.from_string(source.read_text("utf-8")).render(
        report=report,
        names=[each.name for each in report.scorers],
        groups=groups(report),
        plots=_plots(report),
        wikis={
            wiki: [each.wikis[wiki] for each in report.scorers] for wiki in report.scorers[0].wikis
        },
    )
