"""Names of the streams, as Wikimedia's stream configuration has them where it has them.

Source: operations/mediawiki-config, wmf-config/ext-EventStreamConfig.php.
"""

PAGE_CHANGE = "mediawiki.page_change.v1"
"""Edits and what else happens to pages: `/mediawiki/page/change/1.x`."""

TAGS_CHANGE = "mediawiki.revision-tags-change"
"""Change tags of a revision: `/mediawiki/revision/tags-change/1.x`."""

VISIBILITY_CHANGE = "mediawiki.revision-visibility-change"
"""Hidden parts of any revision, the page's latest or not."""

PREDICTION = "mediawiki.page_revert_risk_prediction_change.v1"
"""Scores: `/mediawiki/page/prediction_classification_change/1.x`. Public."""

PREDICTION_ERROR = "revision_quality.prediction_error.v1"
"""Edits that got no score, with the reason; Wikimedia has no such stream."""

RETRY = "revision_quality.retry.v1"
"""Edits to be scored again, each a page_change event: failed ones, readable ones by now."""

DEAD_LETTER = "revision_quality.error.v1"
"""Events that could not be read: `/error/2.1.0` with the raw event."""

VERDICT = "revision_quality.verdict.v1"
"""What patrollers say of scored edits. Public."""

PAUSE = "revision_quality.pause.v1"
"""What is paused. The last event of each wiki and model stays, however old: see KEPT."""

KEPT = frozenset({PAUSE})
"""Streams that no age drops."""
