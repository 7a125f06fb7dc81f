"""The schemas take what a real MediaWiki sends, and name what is wrong with the rest."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.errors import InvalidEventError
from revision_quality.events import streams as names
from revision_quality.events.identity import log_id, with_log_id
from revision_quality.events.prediction import prediction_id
from revision_quality.events.prediction_error import prediction_error_id
from revision_quality.events.stream_config import Intake, StreamConfig, stream_configs
from revision_quality.events.validation import (
    SchemaUri,
    describe,
    is_known,
    parse_schema_uri,
    violations,
)
from tests.events.examples import (
    MODEL,
    VERSION,
    page_change,
    prediction,
    prediction_error,
    raw_change,
    tags_change,
    visibility_change,
)

RECORDINGS = Path(__file__).parent / "recordings"
PAGE_CHANGE = SchemaUri("mediawiki/page/change", 1)


def recorded(*, stored: bool) -> list[Any]:
    """The events that a MediaWiki 1.43 with EventBus sent, by what becomes of them here."""
    configs = stream_configs()
    exchanges = json.loads((RECORDINGS / "eventbus_requests.json").read_text("utf-8"))
    events = [event for exchange in exchanges for event in exchange["body"]]
    return [
        pytest.param(event, id=f"{event['meta']['stream']} {event.get('page_change_kind', '')}")
        for event in events
        if (configs[event["meta"]["stream"]].intake is Intake.STORE) is stored
    ]


@pytest.mark.parametrize("event", recorded(stored=True))
def test_a_recorded_event_holds_to_its_schema(event):
    assert violations(parse_schema_uri(event["$schema"]), event) == ()


@pytest.mark.parametrize("event", recorded(stored=False))
def test_a_recorded_event_of_no_use_here_has_the_title_of_its_stream(event):
    config = stream_configs()[event["meta"]["stream"]]

    assert config.intake is Intake.IGNORE
    assert config.schema_title == parse_schema_uri(event["$schema"]).title


@pytest.mark.parametrize(
    "event",
    [
        prediction(page_change()),
        prediction(page_change("move", prior_state={"page": {"page_title": "Before"}})),
        prediction_error(page_change("create")),
        tags_change(10, ["mw-rollback"]),
        visibility_change(10, user=False),
    ],
    ids=lambda event: f"{event.schema} {getattr(event, 'page_change_kind', '')}",
)
def test_what_this_package_writes_holds_to_its_schema(event):
    uri = parse_schema_uri(event.schema)

    assert is_known(uri)
    assert violations(uri, msgspec.to_builtins(event)) == ()


def test_fields_of_later_minor_versions_are_allowed():
    event = raw_change(**{"$schema": "/mediawiki/page/change/1.99.0", "new_field": {"deep": [1]}})
    event["page"]["wikibase_item_id"] = "Q42"

    assert violations(parse_schema_uri(event["$schema"]), event) == ()


@pytest.mark.parametrize(
    ("change", "path", "keyword"),
    [
        ({"wiki_id": None}, ".wiki_id", "type"),
        ({"wiki_id": ""}, ".wiki_id", "minLength"),
        ({"dt": "yesterday"}, ".dt", "format"),
        ({"dt": "2026-11-23T03:24:19"}, ".dt", "format"),
        ({"page": {"page_title": "A"}}, ".page", "required"),
        ({"page": {"page_title": "A", "page_id": "5"}}, ".page.page_id", "type"),
        ({"page": {"page_title": "A", "page_id": -5}}, ".page.page_id", "minimum"),
        ({"page": {"page_title": "A", "page_id": 2**63}}, ".page.page_id", "maximum"),
        ({"revision": {"rev_id": 1}}, ".revision", "required"),
        ({"page_change_kind": "burn"}, ".page_change_kind", "enum"),
        ({"performer": {"groups": ["*", 7]}}, ".performer.groups[1]", "type"),
        ({"meta": {}}, ".meta", "required"),
        ({"$schema": "/mediawiki/page/change/1"}, ".$schema", "pattern"),
    ],
)
def test_what_is_wrong_is_named(change, path, keyword):
    (wrong,) = violations(PAGE_CHANGE, raw_change(**change))

    assert (wrong.data_path, wrong.keyword) == (path, keyword)
    assert wrong.data_path in describe((wrong,))


def test_everything_that_is_wrong_is_named_up_to_a_limit():
    several = raw_change(wiki_id=7, dt=7)
    endless = raw_change(performer={"groups": [1] * 1000})

    assert {wrong.data_path for wrong in violations(PAGE_CHANGE, several)} == {".wiki_id", ".dt"}
    assert len(violations(PAGE_CHANGE, endless)) == 20


@pytest.mark.parametrize("uri", ["/mediawiki/page/change/1.2.0", "/error/2.1.0", "/a/b-c_d/0.0.1"])
def test_a_schema_uri_is_title_and_major_version(uri):
    parsed = parse_schema_uri(uri)

    assert uri.startswith(f"/{parsed.title}/{parsed.major}.")


@pytest.mark.parametrize(
    "uri",
    [
        None,
        7,
        "",
        "/mediawiki/page/change",
        "/mediawiki/page/change/latest",
        "https://schema.example/mediawiki/page/change/1.2.0",
        "//schema.example/1.2.0",
        "/../../etc/passwd/1.0.0",
        "/mediawiki/page/change/1.2.0\n",
    ],
)
def test_anything_else_is_no_schema_uri(uri):
    with pytest.raises(InvalidEventError, match=r"\$schema must be a relative URI"):
        parse_schema_uri(uri)


def test_a_schema_that_there_is_not_is_an_error():
    with pytest.raises(
        InvalidEventError, match="no schema mediawiki/page/change of major version 2"
    ):
        violations(SchemaUri("mediawiki/page/change", 2), {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_json_has_an_answer(value):
    assert violations(PAGE_CHANGE, value)


class TestIdentity:
    def test_an_edit_has_one_identity_whoever_brings_it(self):
        ours = page_change("edit", 10)
        theirs = page_change("edit", 10, meta={"stream": names.PAGE_CHANGE, "id": "other"})

        assert log_id(ours) == log_id(theirs) == with_log_id(ours).meta.id
        assert log_id(ours) != log_id(page_change("edit", 11))
        assert log_id(ours) != log_id(page_change("edit", 10, wiki_id="other_wiki"))

    def test_other_changes_of_a_page_are_events_of_their_own(self):
        deletion = page_change("delete", 10)

        assert log_id(deletion) == deletion.meta.id
        assert log_id(deletion) != log_id(page_change("edit", 10))

    def test_a_canary_never_stands_for_an_edit(self):
        canary = page_change(
            "edit", 10, meta={"stream": names.PAGE_CHANGE, "id": "c", "domain": "canary"}
        )

        assert log_id(canary) != log_id(page_change("edit", 10))

    def test_a_score_is_known_by_wiki_revision_model_and_version(self):
        change = page_change(rev_id=10)

        assert log_id(prediction(change)) == prediction_id("my_wiki", 10, MODEL, VERSION)
        assert log_id(prediction_error(change)) == prediction_error_id(
            "my_wiki", 10, MODEL, VERSION
        )

    def test_an_id_that_is_no_uuid_gets_one_that_stays(self):
        first, again, other = (
            page_change("delete", 10, meta={"stream": names.PAGE_CHANGE, "id": name})
            for name in ("a", "a", "b")
        )

        assert log_id(first) == log_id(again) != log_id(other)


class TestStreamConfig:
    def test_jobs_are_unknown_so_that_none_is_accepted_and_lost(self):
        assert "mediawiki.job.refreshLinks" not in stream_configs()

    def test_scores_are_taken_only_where_that_is_wanted(self):
        assert stream_configs()[names.PREDICTION].intake is Intake.REFUSE
        assert stream_configs(accepts_scores=True)[names.PREDICTION].intake is Intake.STORE

    def test_streams_can_be_added(self):
        mine = StreamConfig(stream="mine", schema_title="error", intake=Intake.IGNORE)

        assert stream_configs(more=[mine])["mine"] is mine

    def test_unreadable_events_are_not_public(self):
        public = {name for name, config in stream_configs().items() if config.public}

        assert names.PREDICTION in public
        assert names.DEAD_LETTER not in public
