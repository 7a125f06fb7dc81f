"""What the model is measured against: an imitation of the published recipe, and one rule.

The recipe is the language-agnostic Revert Risk model, version 3, of Lift Wing: counts of both
texts and metadata into XGBoost. 25 of its 26 features are here: `user_groups` is not in the
labelled edits. Article quality is a weighted sum of normalised
counts; the floors of the norms are those of Lift Wing's articlequality server (length 45 as a
square root, media 2, categories 5; references 0.2, headings 0.1, links 0.45 per square root of
the length).
"""

import math
from datetime import datetime

from msgspec.structs import replace

from revision_quality.models.features import change, markup
from revision_quality.training.boost import Settings
from revision_quality.wiki.revision import Revision

RECIPE_SETTINGS = Settings(
    rounds=400,
    max_depth=6,
    learning_rate=0.3,
    subsample=1.0,
    colsample_bytree=1.0,
    min_child_weight=1.0,
    base_score=None,
    forests=1,
)
"""400 trees 6 deep; what the recipe does not say is as XGBoost sets it by itself."""

SLOWER_SETTINGS = replace(RECIPE_SETTINGS, learning_rate=0.05, subsample=0.8, colsample_bytree=0.8)
"""The best that we found for the recipe's features: not published, and harder to beat."""

_COUNTED = ("references", "wikilinks", "categories", "media", "headings")
RECIPE_NAMES = (
    "user_is_anonymous",
    "user_age",
    "user_revision_count",
    "page_age",
    "page_seconds_since_previous_revision",
    "revision_text_bytes",
    "revision_text_bytes_diff",
    "has_comment",
    "text_length",
    "parent_text_length",
    *(f"{part}_count" for part in _COUNTED),
    *(f"parent_{part}_count" for part in _COUNTED),
    "quality_score",
    "parent_quality_score",
    "quality_change",
    "quality_range",
    "quality_change_range",
)
_QUALITY_CLASSES = 6
_MISSING = -1.0


def _quality(length: int, counts: markup.Counts) -> float:
    root = math.sqrt(length) or 1.0
    return (
        0.395 * min(root / 45, 1)
        + 0.114 * min(counts.media / 2, 1)
        + 0.070 * min(counts.categories / 5, 1)
        + 0.181 * min(counts.references / root / 0.2, 1)
        + 0.123 * min(counts.headings / root / 0.1, 1)
        + 0.115 * min(counts.wikilinks / root / 0.45, 1)
    )


def _days(earlier: datetime | None, later: datetime) -> float:
    return _MISSING if earlier is None else (later - earlier).total_seconds() / 86400


def recipe_features(revision: Revision) -> tuple[float, ...]:
    """Return RECIPE_NAMES for one revision; -1 stands for what is not known."""
    user, parent, text = revision.user, revision.parent.text, revision.text
    parsed = markup.parse(parent)
    region = change.differing_region(parent, text)
    before = parsed.counts()
    after = markup.count(markup.reparse(parsed, parent, text, region))
    quality, parent_quality = _quality(len(text), after), _quality(len(parent), before)
    size, parent_size = (len(each.encode("utf-8", "surrogatepass")) for each in (text, parent))
    quality_class = math.floor(quality * _QUALITY_CLASSES)
    return (
        float(user.is_anonymous),
        _days(user.registration_dt, revision.rev_dt),
        _MISSING if user.edit_count is None else float(user.edit_count),
        _days(revision.page.first_edit_dt, revision.rev_dt),
        _days(revision.parent.rev_dt, revision.rev_dt) * 86400,
        float(size),
        float(size - parent_size),
        float(bool(revision.comment)),
        float(len(text)),
        float(len(parent)),
        *(float(getattr(after, part)) for part in _COUNTED),
        *(float(getattr(before, part)) for part in _COUNTED),
        quality,
        parent_quality,
        quality - parent_quality,
        float(quality_class),
        float(quality_class - math.floor(parent_quality * _QUALITY_CLASSES)),
    )
