"""The model card: what a model file is made of, what it can do and what it cannot."""

from collections.abc import Mapping, Sequence

from revision_quality.levels.level import Level
from revision_quality.models.artifact import Artifact
from revision_quality.models.features.feature import ORIGINS, Feature
from revision_quality.models.features.vector import FEATURES
from revision_quality.training.evaluate import Report
from revision_quality.training.examples import Examples, share_by_wiki
from revision_quality.training.page import groups

_LIMITS = """\
- It was trained on small wikis. Large ones have other editors, tools and habits: measure before
  trusting a threshold there (`revq evaluate --model`), and set levels on the wiki's own edits.
- The label is an exact restoration of an earlier text. Damage that nobody noticed counts as good,
  damage that was repaired by hand too, and good faith that was undone counts as bad.
- Edit counts and account ages stand in for MediaWiki's own: they were counted within each wiki's
  imported history, so an editor who looks new may not be.
- It reads no words and knows no facts: a plausible lie in good style gets a low score.
- Editors without an account are flagged more often than registered ones (see disparate impact).
  Training weighs this down, so the score is calibrated over all editors together, and for each
  kind apart only roughly.
- Page creations, moves, other content models and texts over 2 MB are not scored."""


def _table(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(line) + " |" for line in lines]


def _range(feature: Feature) -> str:
    high = "" if feature.high is None else f"{feature.high:g}"
    low = "" if feature.low == -float("inf") else f"{feature.low:g}"
    return f"{low} to {high}".strip() if high else f"from {low}" if low else "any"


def _feature_rows() -> list[list[str]]:
    return [
        [
            f"`{feature.name}`",
            feature.text,
            feature.unit,
            _range(feature),
            "-" if feature.missing is None else f"{feature.missing:g}",
            feature.source,
        ]
        for feature in FEATURES
    ]


def _level_rows(levels: Sequence[Level]) -> list[list[str]]:
    return [
        [
            level.name,
            f"{'<' if level.name == 'likelygood' else '>='} {level.threshold:.3f}",
            f"{level.precision:.3f}",
            f"{level.recall:.3f}",
            f"{level.flag_rate:.2%}",
            level.target,
        ]
        for level in levels
    ]


def _data_rows(shares: Mapping[str, tuple[int, int, float]]) -> list[list[str]]:
    return [
        [wiki, f"{edits:,}", f"{reverted:,}", f"{rate:.2%}"]
        for wiki, (edits, reverted, rate) in shares.items()
    ]


def _figures(report: Report | None) -> list[str]:
    if report is None:
        return ["Not measured with this file; `revq evaluate` measures the way of training."]
    names = [scorer.name for scorer in report.scorers]
    wikis = "one wiki" if report.wikis == 1 else f"{report.wikis} wikis"
    lines = [f"{report.setting} {report.edits:,} edits of {wikis}, 95 % intervals."]
    for title, figures in groups(report).items():
        body = [[name, *values] for name, values in figures]
        lines += ["", f"### {title}", "", *_table(["Figure", *names], body)]
    return lines


def card(artifact: Artifact, examples: Examples, report: Report | None = None) -> str:
    """Write the card of a model in Markdown, from the model, its data and its evaluation."""
    header = artifact.header
    trees = artifact.trees
    shares = share_by_wiki(examples)
    left_out = "wikis left out" if len(shares) > 1 else "stretches of time left out"
    sections: dict[str, list[str]] = {
        "What it is for": [
            "P(an edit gets reverted), for sorting recent changes by risk so that people look at"
            " the likely damage first. People decide: it is not made for reverting by itself.",
        ],
        "What it is": [
            f"{len(trees.roots)} boosted trees of depth {trees.depth} over"
            f" {len(header.features)} features (version {header.features_version}), grown by"
            " XGBoost, evaluated with numpy; a calibration line from log odds to probability,"
            f" fitted on {left_out}. The file holds arrays and JSON and can run no code.",
        ],
        "Data": [
            "Edits of whole page histories; bots, page creations and self-reverts left out;"
            " weights restore each wiki's natural rate.",
            "",
            *_table(["Wiki", "Edits", "Reverted", "Natural rate"], _data_rows(shares)),
        ],
        "Figures": _figures(report),
        "Levels": [
            f"Measured on {left_out}, at the natural rate. A level holds where the score is at"
            " least its threshold; `likelygood` where it is below.",
            "",
            *_table(
                ["Level", "Score", "Precision", "Recall", "Flag rate", "Chosen for"],
                _level_rows(header.levels),
            ),
        ],
        "Limits": [_LIMITS],
        "Features": _table(
            ["Name", "What it is", "Unit", "Range", "Missing", "From"], _feature_rows()
        ),
        "Where that is from": [
            "All of it is known when the edit is saved.",
            "",
            *_table(
                ["Field", "page_change event", "Action API"],
                [
                    [name, f"`{one.event}`" if one.event else "-", one.api]
                    for name, one in ORIGINS.items()
                ],
            ),
        ],
        "Licence": [
            "The model file: Apache-2.0, as the package. The edits it was trained on are by the"
            " contributors of the wikis named above (text CC BY-SA); none of their text is in it.",
        ],
    }
    lines = [f"# Model card: {header.name} {header.version}"]
    for title, body in sections.items():
        lines += ["", f"## {title}", "", *body]
    return "\n".join(lines) + "\n"
