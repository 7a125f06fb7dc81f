"""An imitation of the published language-agnostic recipe, the yardstick of the shipped model.

25 of the recipe's 26 features (`user_groups` is not in the labelled edits): counts by
mwparserfromhell over both whole texts, metadata, and the article quality score that is computed
from the counts. Categories and media are told apart by the shape of a link's title, as in
`revision_quality.models.features.markup`, since the labelled edits carry no namespace names.
"""

import math
import re
from datetime import datetime
from typing import Any

import mwparserfromhell

NAMES = (
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
    "reference_count",
    "wikilink_count",
    "category_count",
    "media_count",
    "heading_count",
    "parent_reference_count",
    "parent_wikilink_count",
    "parent_category_count",
    "parent_media_count",
    "parent_heading_count",
    "quality_score",
    "parent_quality_score",
    "quality_change",
    "quality_range",
    "quality_change_range",
)
PARTS = (
    "references",
    "wikilinks",
    "categories",
    "media",
    "headings",
    "templates",
    "external_links",
    "interwiki",
)
_MEDIA = re.compile(
    r"\.(?:jpe?g|png|svg|gif|tiff?|og[gvax]|webm|webp|pdf|djvu|midi?|wav|mp3|flac|xcf|stl)\Z",
    re.IGNORECASE,
)
_INTERWIKI = re.compile(r"(?:[a-z]{2,3}|[a-z]{2,3}-[a-z-]{2,12}|simple)\Z")


def _kind(title: str) -> str:
    prefix, colon, rest = title.strip().partition(":")
    if not colon or not prefix.strip() or not rest:
        return "page"
    if _MEDIA.search(rest.strip()):
        return "media"
    return "interwiki" if _INTERWIKI.match(prefix.strip()) else "categories"


def parse(text: str) -> tuple[int, ...]:
    """Count PARTS in `text` by mwparserfromhell, everything nested included."""
    code = mwparserfromhell.parse(text, skip_style_tags=True)
    kinds = [_kind(str(link.title)) for link in code.ifilter_wikilinks()]
    return (
        sum(str(tag.tag).strip().lower() == "ref" for tag in code.ifilter_tags()),
        len(kinds),
        kinds.count("categories"),
        kinds.count("media"),
        sum(1 for _ in code.ifilter_headings()),
        sum(1 for _ in code.ifilter_templates()),
        sum(1 for _ in code.ifilter_external_links()),
        kinds.count("interwiki"),
    )


def _quality(length: int, counts: tuple[int, ...]) -> float:
    """Article quality by the recipe's floors: length 45 (square root), media 2, categories 5,
    references 0.2, headings 0.1 and links 0.45 per square root of the length.
    """
    references, links, categories, media, headings = counts[:5]
    root = math.sqrt(length) or 1.0
    return (
        0.395 * min(root / 45, 1)
        + 0.114 * min(media / 2, 1)
        + 0.070 * min(categories / 5, 1)
        + 0.181 * min(references / root / 0.2, 1)
        + 0.123 * min(headings / root / 0.1, 1)
        + 0.115 * min(links / root / 0.45, 1)
    )


def _days(later: datetime, earlier: str | None) -> float:
    if earlier is None:
        return math.nan
    return (later - datetime.fromisoformat(earlier)).total_seconds() / 86400


def features(
    row: dict[str, Any], counts: tuple[int, ...], parent_counts: tuple[int, ...]
) -> list[float]:
    """Return NAMES for one row of the labelled edits and the counts of both its texts."""
    at = datetime.fromisoformat(row["timestamp"])
    text, parent = row["text"], row["parent_text"]
    size, parent_size = len(text.encode()), len(parent.encode())
    quality, parent_quality = _quality(len(text), counts), _quality(len(parent), parent_counts)
    anonymous = row["user_is_anon"]
    return [
        float(anonymous),
        math.nan if anonymous else _days(at, row["user_first_seen"]),
        math.nan if anonymous else row["user_prior_edits"],
        _days(at, row["page_created"]),
        _days(at, row["parent_timestamp"]) * 86400,
        size,
        size - parent_size,
        float(bool(row["comment"])),
        len(text),
        len(parent),
        *counts[:5],
        *parent_counts[:5],
        quality,
        parent_quality,
        quality - parent_quality,
        math.floor(quality * 6),
        math.floor(quality * 6) - math.floor(parent_quality * 6),
    ]
