"""Features of the edit summary and of the page's name."""

import re

from revision_quality.models.features.feature import Feature
from revision_quality.wiki.revision import Revision

_MISSING = -1.0
_SECTION = re.compile(r"/\*.*?\*/", re.DOTALL)
_LINK_TO_USER = re.compile(r"\[\[[^\[\]|\n]*[:/][^\[\]|\n]*\|")

FEATURES = (
    Feature(
        "comment_length",
        "length of the edit summary without MediaWiki's /* section */ mark",
        "characters",
        "comment",
        missing=_MISSING,
    ),
    Feature(
        "comment_has_section",
        "1 where the summary starts with a /* section */ mark: one section was edited",
        "flag",
        "comment",
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "comment_links",
        "links in the summary, as tools and undo write them",
        "links",
        "comment",
        missing=_MISSING,
    ),
    Feature(
        "comment_user_links",
        "links with a prefix and a label in the summary, as undo and rollback write them",
        "links",
        "comment",
        missing=_MISSING,
    ),
    Feature(
        "comment_upper_share",
        "share of capitals among the characters of the summary",
        "share",
        "comment",
        high=1,
        missing=_MISSING,
    ),
    Feature(
        "is_main_namespace", "1 for an article (namespace 0)", "flag", "page.namespace_id", high=1
    ),
    Feature("title_length", "length of the page's title", "characters", "page.title"),
)


def words(comment: str | None) -> list[str]:
    """Return the words of an edit summary, without MediaWiki's /* section */ mark."""
    return _SECTION.sub("", comment, count=1).split() if comment else []


def measure(revision: Revision) -> tuple[float, ...]:
    """Return the values of FEATURES."""
    page = (float(revision.page.namespace_id == 0), float(len(revision.page.title)))
    if revision.comment is None:
        return (_MISSING,) * 5 + page
    words = _SECTION.sub("", revision.comment, count=1).strip()
    return (
        float(len(words)),
        float(revision.comment.startswith("/*")),
        float(words.count("[[")),
        float(len(_LINK_TO_USER.findall(words))),
        sum(map(str.isupper, words)) / max(len(words), 1),
        *page,
    )
