"""Which streams there are, what each may hold, who may write it and who may read it.

Source of names and schema titles: operations/mediawiki-config,
wmf-config/ext-EventStreamConfig.php; of the kinds that a MediaWiki with EventBus sends to one URL,
a recording of MediaWiki 1.43.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from revision_quality.events import streams as names


class Intake(StrEnum):
    """What becomes of an event that somebody posts.

    STORE it; IGNORE it, saying that it was accepted, because EventBus sends many kinds to one URL;
    REFUSE it, because this service writes the stream itself.
    """

    STORE = "store"
    IGNORE = "ignore"
    REFUSE = "refuse"


class StreamConfig(Struct, frozen=True, kw_only=True):
    """One stream. `public` says that EventStreams serves it."""

    stream: str
    schema_title: str
    intake: Intake
    public: bool = False


StreamConfigs = Mapping[str, StreamConfig]
"""The streams by name."""

_PAGE_CHANGE = "mediawiki/page/change"
PREDICTION_SCHEMA = "mediawiki/page/prediction_classification_change"
"""The schema title of every stream of scores."""

_REVISION_CREATE = "mediawiki/revision/create"

_KEPT = (
    StreamConfig(
        stream=names.PAGE_CHANGE, schema_title=_PAGE_CHANGE, intake=Intake.STORE, public=True
    ),
    StreamConfig(
        stream=names.TAGS_CHANGE,
        schema_title="mediawiki/revision/tags-change",
        intake=Intake.STORE,
        public=True,
    ),
    StreamConfig(
        stream=names.VISIBILITY_CHANGE,
        schema_title="mediawiki/revision/visibility-change",
        intake=Intake.STORE,
        public=True,
    ),
    StreamConfig(
        stream=names.PREDICTION, schema_title=PREDICTION_SCHEMA, intake=Intake.REFUSE, public=True
    ),
    StreamConfig(
        stream=names.PREDICTION_ERROR,
        schema_title="revision_quality/prediction_error",
        intake=Intake.REFUSE,
        public=True,
    ),
    StreamConfig(
        stream=names.VERDICT,
        schema_title="revision_quality/verdict",
        intake=Intake.REFUSE,
        public=True,
    ),
    StreamConfig(stream=names.DEAD_LETTER, schema_title="error", intake=Intake.REFUSE),
)

_IGNORED = {
    "mediawiki.revision-create": _REVISION_CREATE,
    "mediawiki.page-create": _REVISION_CREATE,
    "mediawiki.page-delete": "mediawiki/page/delete",
    "mediawiki.page-undelete": "mediawiki/page/undelete",
    "mediawiki.page-suppress": "mediawiki/page/delete",
    "mediawiki.page-move": "mediawiki/page/move",
    "mediawiki.page-links-change": "mediawiki/page/links-change",
    "mediawiki.page-properties-change": "mediawiki/page/properties-change",
    "mediawiki.page-restrictions-change": "mediawiki/page/restrictions-change",
    "mediawiki.user-blocks-change": "mediawiki/user/blocks-change",
    "mediawiki.recentchange": "mediawiki/recentchange",
    "mediawiki.centralnotice.campaign-change": "mediawiki/centralnotice/campaign/change",
    "mediawiki.centralnotice.campaign-create": "mediawiki/centralnotice/campaign/create",
    "mediawiki.centralnotice.campaign-delete": "mediawiki/centralnotice/campaign/delete",
    "resource_change": "resource_change",
}


def stream_configs(
    *,
    accepts_scores: bool = False,
    scores: Iterable[str] = (),
    more: Iterable[StreamConfig] = (),
) -> StreamConfigs:
    """Return the streams that this service knows.

    `scores` are further streams of scores. `accepts_scores` lets others post predictions and
    prediction errors, for an instance that keeps what another one has scored; `more` adds streams,
    or replaces some. Streams of jobs (`mediawiki.job.*`) are unknown on purpose: a job that is
    accepted and not run is lost.
    """
    scores = tuple(scores)
    ignored = (
        StreamConfig(stream=stream, schema_title=title, intake=Intake.IGNORE)
        for stream, title in _IGNORED.items()
    )
    configs = {config.stream: config for config in (*_KEPT, *ignored)}
    for stream in scores:
        configs[stream] = replace(configs[names.PREDICTION], stream=stream)
    if accepts_scores:
        for stream in (names.PREDICTION, names.PREDICTION_ERROR, *scores):
            configs[stream] = replace(configs[stream], intake=Intake.STORE)
    return MappingProxyType(configs | {config.stream: config for config in more})
