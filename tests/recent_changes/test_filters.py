from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.recent_changes.cursor import Cursor
from revision_quality.recent_changes.filters import (
    LEVELS,
    MAX_NOTICES,
    STATES,
    USER_LEVELS,
    Filters,
    parse_filters,
    without,
)


def parsed(query: str) -> Filters:
    filters, notices = parse_filters(parse_qsl(query, keep_blank_values=True))
    assert not notices
    return filters


filters_of_any_kind = st.builds(
    Filters,
    wikis=st.frozensets(st.sampled_from(["enwiki", "my_wiki", "b-wiki"])),
    levels=st.frozensets(st.sampled_from(LEVELS)),
    states=st.frozensets(st.sampled_from(STATES)),
    namespaces=st.frozensets(st.integers(0, 999_999_999), max_size=4),
    invert=st.booleans(),
    users=st.frozensets(st.sampled_from(USER_LEVELS)),
    hide_bots=st.booleans(),
    hide_humans=st.booleans(),
    hide_minor=st.booleans(),
    hide_major=st.booleans(),
    hide_new_pages=st.booleans(),
    hide_page_edits=st.booleans(),
    days=st.one_of(st.none(), st.floats(1e-6, 36525)),
    limit=st.integers(1, 500),
    before=st.one_of(st.none(), st.just(Cursor(5, 6, "enwiki"))),
)


@given(filters_of_any_kind)
def test_filters_read_back_from_their_query_string(filters: Filters) -> None:
    assert parsed(filters.query) == filters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Filters()),
        ("wiki=enwiki;dewiki", Filters(wikis=frozenset({"enwiki", "dewiki"}))),
        ("wiki=enwiki&wiki=dewiki", Filters(wikis=frozenset({"enwiki", "dewiki"}))),
        ("revertrisk=likelybad", Filters(levels=frozenset({"likelybad"}))),
        (
            "revertrisklanguageagnostic=revertrisk",
            Filters(levels=frozenset({"likelybad", "verylikelybad"})),
        ),
        ("revertrisklanguageagnostic=all", Filters()),
        (
            "revertrisk=maybebad&revertrisklanguageagnostic=revertrisk",
            Filters(levels=frozenset({"maybebad", "likelybad", "verylikelybad"})),
        ),
        ("revertrisk=all", Filters()),
        ("revertrisk=likelygood;maybebad;likelybad;verylikelybad", Filters()),
        ("state=pending;failed", Filters(states=frozenset({"pending", "failed"}))),
        ("namespace=0;1&invert=1", Filters(namespaces=frozenset({0, 1}), invert=True)),
        ("namespace=all", Filters()),
        ("invert=1", Filters()),
        ("userExpLevel=registered;unregistered", Filters()),
        ("userExpLevel=newcomer", Filters(users=frozenset({"newcomer"}))),
        ("hidebots=1&hideminor=0", Filters(hide_bots=True)),
        ("hidebots=1&hidehumans=1", Filters()),
        ("hidenewpages=1&hidepageedits=", Filters(hide_new_pages=True)),
        ("limit=500&days=0.25", Filters(limit=500, days=0.25)),
        ("before=12-34-enwiki", Filters(before=Cursor(12, 34, "enwiki"))),
        ("enhanced=1&urlversion=2&damaging=likelybad&x", Filters()),
        (";;=;&=&&wiki=;;", Filters()),
    ],
)
def test_parameters_mean_what_they_mean_in_mediawiki(query: str, expected: Filters) -> None:
    assert parsed(query) == expected


@pytest.mark.parametrize(
    ("query", "shortest"),
    [
        ("limit=50&hidebots=0&days=&invert=0", ""),
        (
            "revertrisk=verylikelybad&revertrisk=likelybad&limit=100",
            "revertrisk=likelybad;verylikelybad&limit=100",
        ),
        ("namespace=10;2&wiki=b;a", "wiki=a;b&namespace=2;10"),
        ("days=1.0", "days=1"),
    ],
)
def test_the_query_string_is_the_shortest(query: str, shortest: str) -> None:
    assert parsed(query).query == shortest


@pytest.mark.parametrize(
    ("query", "value", "outcome", "filters"),
    [
        ("limit=abc", "abc", "50 is used", Filters()),
        ("limit=5000", "5000", "500 is used", Filters(limit=500)),
        ("limit=0", "0", "1 is used", Filters(limit=1)),
        ("limit=-1", "-1", "50 is used", Filters()),
        (
            "revertrisk=awful;likelybad",
            "awful",
            "ignored",
            Filters(levels=frozenset(["likelybad"])),
        ),
        ("state=lost", "lost", "ignored", Filters()),
        ("namespace=-1;0", "-1", "ignored", Filters(namespaces=frozenset([0]))),
        ("namespace=\u0663", "\u0663", "ignored", Filters()),
        ("userExpLevel=expert", "expert", "ignored", Filters()),
        ("hidebots=yes", "yes", "ignored", Filters()),
        ("days=nan", "nan", "ignored", Filters()),
        ("days=inf", "inf", "ignored", Filters()),
        ("days=-1", "-1", "ignored", Filters()),
        ("before=yesterday", "yesterday", "ignored", Filters()),
        ("wiki=<b>", "<b>", "ignored", Filters()),
    ],
)
def test_a_value_that_is_not_taken_is_told(
    query: str, value: str, outcome: str, filters: Filters
) -> None:
    read, (notice,) = parse_filters(parse_qsl(query))

    assert read == filters
    assert notice.parameter == query.partition("=")[0]
    assert notice.value == value
    assert outcome in notice.outcome
    assert notice.parameter in notice.text
    assert notice.allowed in notice.text


def test_notices_and_values_are_bounded() -> None:
    _, notices = parse_filters([("state", ";".join(f"x{n}" for n in range(5000)))])
    assert len(notices) == MAX_NOTICES

    filters, _ = parse_filters([("wiki", ";".join(f"w{n}" for n in range(5000)))])
    assert len(filters.wikis) == 500

    _, (notice,) = parse_filters([("state", "y" * 9000)])
    assert len(notice.value) == 64


names = st.sampled_from(
    [*("wiki", "revertrisk", "state", "namespace", "invert"), *("days", "limit", "before", "x")]
)


@given(st.lists(st.tuples(names, st.one_of(st.text(), st.sampled_from(["1e400", "9" * 5000])))))
def test_no_query_string_fails(pairs: list[tuple[str, str]]) -> None:
    filters, _ = parse_filters(pairs)
    assert parsed(filters.query) == filters


def test_a_filter_is_taken_away_and_the_page_begins_anew() -> None:
    filters = parsed("wiki=a;b&hidebots=1&days=3&before=1-2-a")

    assert without(filters, "wikis", "a") == parsed("wiki=b&hidebots=1&days=3")
    assert without(filters, "hide_bots") == parsed("wiki=a;b&days=3")
    assert without(filters, "days") == parsed("wiki=a;b&hidebots=1")


@pytest.mark.parametrize(
    ("query", "conflict"),
    [
        ("revertrisk=likelybad&state=pending", True),
        ("revertrisk=likelybad&state=pending;scored", False),
        ("revertrisk=likelybad", False),
        ("state=pending", False),
    ],
)
def test_a_level_asked_of_edits_without_a_score_is_a_conflict(query: str, conflict: bool) -> None:
    assert parsed(query).has_conflict is conflict
