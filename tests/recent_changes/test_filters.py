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
from revision_quality.recent_changes.highlights import Highlight
from revision_quality.recent_changes.parameters import NAMESPACE_KINDS
from revision_quality.recent_changes.ranking import ORDERS


def parsed(query: str) -> Filters:
    filters, notices = parse_filters(parse_qsl(query, keep_blank_values=True))
    assert not [notice for notice in notices if notice.kind == "value"]
    return filters


filters_of_any_kind = st.builds(
    Filters,
    wikis=st.frozensets(st.sampled_from(["enwiki", "my_wiki", "b-wiki"])),
    levels=st.frozensets(st.sampled_from(LEVELS)),
    states=st.frozensets(st.sampled_from(STATES)),
    namespaces=st.frozensets(
        st.one_of(st.integers(-2, 999_999_999), st.sampled_from(NAMESPACE_KINDS)), max_size=4
    ),
    invert=st.booleans(),
    users=st.frozensets(st.sampled_from(USER_LEVELS)),
    hide_bots=st.booleans(),
    hide_humans=st.booleans(),
    hide_minor=st.booleans(),
    hide_major=st.booleans(),
    hide_new_pages=st.booleans(),
    hide_page_edits=st.booleans(),
    hide_reverted=st.booleans(),
    hide_unreverted=st.booleans(),
    tags=st.frozensets(st.sampled_from(["mobile edit", "a", 'q"é']), max_size=2),
    invert_tags=st.booleans(),
    since=st.one_of(st.none(), st.integers(0, 2_000_000_000)),
    order=st.sampled_from(ORDERS),
    days=st.one_of(st.none(), st.floats(1e-6, 36525)),
    limit=st.integers(1, 500),
    before=st.one_of(st.none(), st.just(Cursor(5, 6, "enwiki"))),
    highlights=st.sampled_from(
        [(), (Highlight("namespace", "2", "c1"), Highlight("tagfilter", "a & b=c__d_color", "c2"))]
    ),
)


@given(filters_of_any_kind)
def test_filters_read_back_from_their_query_string(filters: Filters) -> None:
    assert parsed(filters.query) == filters


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", Filters()),
        ("wiki=enwiki;dewiki", Filters(wikis=frozenset({"enwiki", "dewiki"}))),
        ("wiki=my.wiki;wiki$1-mw_", Filters(wikis=frozenset({"my.wiki", "wiki$1-mw_"}))),
        ("wiki=enwiki&wiki=dewiki", Filters(wikis=frozenset({"enwiki", "dewiki"}))),
        ("revertrisk=likelybad", Filters(levels=frozenset({"likelybad"}))),
        (
            "revertrisklanguageagnostic=revertrisk",
            Filters(levels=frozenset({"likelybad", "verylikelybad"})),
        ),
        ("revertrisklanguageagnostic=all", Filters(levels=frozenset(LEVELS[2:]))),
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
        ("damaging=likelybad;verylikelybad", Filters(levels=frozenset(LEVELS[2:]))),
        ("enhanced=1&urlversion=2", Filters(is_grouped=True)),
        ("hidelog=1&hidecategorization=1&hideWikibase=1&title=Special:RecentChanges", Filters()),
        ("namespace=0;3&associated=1", Filters(namespaces=frozenset({0, 1, 2, 3}))),
        ("namespace=0&associated=0", Filters(namespaces=frozenset({0}))),
        ("hideanons=1", Filters(users=frozenset({"registered"}))),
        ("hideliu=1", Filters(users=frozenset({"unregistered"}))),
        ("tagfilter=a|mobile edit", Filters(tags=frozenset({"a", "mobile edit"}))),
        ("tagfilter=a&inverttags=1", Filters(tags=frozenset({"a"}), invert_tags=True)),
        ("inverttags=1&tagfilter=", Filters()),
        ("from=20081231235959", Filters(since=1230767999)),
        ("from=2008-12-31T23:59:59Z", Filters(since=1230767999)),
        ("from=2009", Filters(since=1230768000)),
        ("order=mixed", Filters(order="mixed", hide_reverted=True)),
        ("order=riskiest&hideunreverted=1", Filters(order="riskiest", hide_unreverted=True)),
        ("hidereverted=1", Filters(hide_reverted=True)),
        (
            "damaging__likelybad_color=c4&hidebots_color=c1&userExpLevel__newcomer_color=c2",
            Filters(
                highlights=(
                    Highlight("automated", "hidebots", "c1"),
                    Highlight("revertrisk", "likelybad", "c4"),
                    Highlight("userExpLevel", "newcomer", "c2"),
                )
            ),
        ),
        (
            "revertrisklanguageagnostic__revertrisk_color=c5",
            Filters(highlights=(Highlight("revertrisk", "likelybad", "c5"),)),
        ),
        (";;=;&=&&wiki=;;", Filters()),
        (
            "revisionquality=likelybad;verylikelybad",
            Filters(levels=frozenset({"likelybad", "verylikelybad"})),
        ),
        ("revisionquality=unscored", Filters(states=frozenset({"pending", "failed"}))),
        (
            "revisionquality__likelybad_color=c2&revisionquality__unscored_color=c1",
            Filters(
                highlights=(
                    Highlight("revertrisk", "likelybad", "c2"),
                    Highlight("revisionquality", "unscored", "c1"),
                )
            ),
        ),
        ("namespace=all-contents", Filters(namespaces=frozenset({"all-contents"}))),
        (
            "namespace=all-discussions;0&invert=1",
            Filters(namespaces=frozenset({"all-discussions", 0}), invert=True),
        ),
        ("namespace=all-contents&associated=1", Filters()),
        ("namespace=-1", Filters(namespaces=frozenset({-1}))),
        ("namespace=-2&associated=1", Filters(namespaces=frozenset({-2}))),
        (
            "hidepageedits=1&hidenewpages=1&hidecategorization=1&hidelog=1&hidenewuserlog=1",
            Filters(hide_page_edits=True, hide_new_pages=True),
        ),
        (
            "hidepageedits=1&hidenewpages=1&hidecategorization=1&hidelog=1&hidenewuserlog=1"
            "&hideWikibase=1",
            Filters(),
        ),
        ("userExpLevel=Newcomer", Filters(users=frozenset({"newcomer"}))),
        ("userExpLevel=unregistered;newcomer;learner;experienced", Filters()),
        ("hideanons=1&userExpLevel=newcomer", Filters(users=frozenset({"registered"}))),
        ("hideliu=1&userExpLevel=newcomer", Filters(users=frozenset({"unregistered"}))),
        ("hideanons=1&hideliu=1", Filters(hide_humans=True)),
        (
            "hideanons=1&hideliu=1&hidebots=1",
            Filters(hide_bots=True, users=frozenset({"unregistered"})),
        ),
        (
            "automated__hidehumans_color=c2&changeType__hidenewpages_color=c3"
            "&significance__hideminor_color=c4&hidereverted_color=c5",
            Filters(
                highlights=(
                    Highlight("", "hidereverted", "c5"),
                    Highlight("automated", "hidehumans", "c2"),
                    Highlight("changeType", "hidenewpages", "c3"),
                    Highlight("significance", "hideminor", "c4"),
                )
            ),
        ),
        (
            "namespace__0_color=c1&namespace__all-discussions_color=c2"
            "&tagfilter__mobile%20edit_color=c3",
            Filters(
                highlights=(
                    Highlight("namespace", "0", "c1"),
                    Highlight("namespace", "all-discussions", "c2"),
                    Highlight("tagfilter", "mobile edit", "c3"),
                )
            ),
        ),
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
        ("namespace=user;0", "user", "ignored", Filters(namespaces=frozenset([0]))),
        ("namespace=\u0663", "\u0663", "ignored", Filters()),
        ("userExpLevel=expert", "expert", "ignored", Filters()),
        ("hidebots=yes", "yes", "1 is used", Filters(hide_bots=True)),
        ("days=nan", "nan", "ignored", Filters()),
        ("days=inf", "inf", "ignored", Filters()),
        ("days=-1", "-1", "ignored", Filters()),
        ("before=yesterday", "yesterday", "ignored", Filters()),
        ("wiki=<b>", "<b>", "ignored", Filters()),
        (
            "revisionquality=likelybad;unscored",
            "unscored",
            "ignored",
            Filters(levels=frozenset({"likelybad"})),
        ),
    ],
)
def test_a_value_that_is_not_taken_is_told(
    query: str, value: str, outcome: str, filters: Filters
) -> None:
    read, (notice,) = parse_filters(parse_qsl(query))

    assert read == filters
    assert notice.parameter == query.partition("=")[0]
    assert notice.value == value
    assert outcome in notice.text
    assert notice.parameter in notice.text
    assert notice.allowed in notice.text


@pytest.mark.parametrize(
    ("query", "kind", "words"),
    [
        ("foo=bar", "unknown", "foo is not known here"),
        ("goodfaith=likelybad", "not-here", "the user's intent"),
        ("reviewStatus=unpatrolled", "not-here", "patrolled"),
        ("hidemyself=1", "not-here", "an account"),
        ("hidelastrevision=1", "not-here", "last"),
        ("watchlist=watched", "not-here", "an account"),
        ("goodfaith__likelybad_color=c1", "not-here", "the user's intent"),
        ("authorship__hidemyself_color=c1", "not-here", "an account"),
        ("automated__nobody_color=c1", "unknown", "automated__nobody_color"),
        ("significance__hidebots_color=c1", "unknown", "significance__hidebots_color"),
        ("namespace__-1_color=c1", "unknown", "namespace__-1_color"),
        ("damaging__likelybad_color=red", "value", "c1, c2, c3, c4, c5"),
        ("order=best", "value", "newest, mixed, riskiest"),
        ("from=yesterday", "value", "20081231235959"),
        ("state=pending;scored;not_scorable;failed", "covers-all", "restricts nothing"),
        ("userExpLevel=registered;learner", "subset", "learner is part of registered"),
        ("namespace=all-contents;2", "subset", "2 is part of all-contents"),
        ("namespace=all-discussions;3&invert=1", "subset", "3 is part of all-discussions"),
        ("namespace=all-contents;all-discussions", "covers-all", "restricts nothing"),
        (
            "userExpLevel=unregistered;newcomer;learner;experienced",
            "covers-all",
            "restricts nothing",
        ),
        ("revertrisk=maybebad;likelybad", "subset", "likelybad is part of maybebad"),
        (f"damaging={';'.join(LEVELS)}", "covers-all", "restricts nothing"),
        ("hidebots=1&hidehumans=1", "opposites", "hidebots and hidehumans would hide everything"),
        ("hideminor=1&hidemajor=1", "opposites", "hideminor and hidemajor would hide everything"),
    ],
)
def test_what_has_no_effect_is_told(query: str, kind: str, words: str) -> None:
    _, (notice,) = parse_filters(parse_qsl(query))
    assert notice.kind == kind
    assert words in notice.text


@pytest.mark.parametrize(
    "query",
    [
        "hidemyself=0&watchlist=&goodfaith=all&reviewStatus=all",
        "hidemyself=1&hidebyothers=1&hidelastrevision=1&hidepreviousrevisions=1",
        "hidelog=1&urlversion=2&uselang=de&peek=1&highlight=1&rcfilters=1",
        "changeType__hidelog_color=c1&changeType__hidecategorization_color=c2",
    ],
)
def test_what_asks_for_nothing_is_taken_in_silence(query: str) -> None:
    assert parse_filters(parse_qsl(query, keep_blank_values=True)) == (Filters(), ())


def test_the_one_level_of_the_ores_extension_is_taken_in_silence() -> None:
    filters, notices = parse_filters([("revertrisklanguageagnostic", "revertrisk")])
    assert (filters.levels, notices) == (frozenset(LEVELS[2:]), ())


def test_notices_and_values_are_bounded() -> None:
    _, notices = parse_filters([("state", ";".join(f"x{n}" for n in range(5000)))])
    assert len(notices) == MAX_NOTICES

    filters, _ = parse_filters([("wiki", ";".join(f"w{n}" for n in range(5000)))])
    assert len(filters.wikis) == 500

    _, (notice,) = parse_filters([("state", "y" * 9000)])
    assert len(notice.value) == 64


names = st.sampled_from(
    [
        *("wiki", "revertrisk", "state", "namespace", "invert"),
        *("days", "limit", "before", "x"),
        *("from", "tagfilter", "order", "hidebots_color"),
    ]
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
    kinds = parsed("namespace=all-contents;1")
    assert without(kinds, "namespaces", "all-contents") == parsed("namespace=1")


@pytest.mark.parametrize(
    ("query", "conflict"),
    [
        ("revertrisk=likelybad&state=pending", "states"),
        ("revertrisk=likelybad&state=pending;scored", ""),
        ("revertrisk=likelybad", ""),
        ("state=pending", ""),
        ("hidepageedits=1&hidenewpages=1", "kinds"),
        ("hidepageedits=1&hidenewpages=1&hidecategorization=1&hideWikibase=1", "kinds"),
        ("hidepageedits=1&hidemajor=1", "minor"),
        ("hidepageedits=1&hideminor=1", ""),
        ("hidenewpages=1&hidemajor=1", ""),
        ("namespace=all-contents;all-discussions&invert=1", "namespaces"),
        ("namespace=all-contents&invert=1", ""),
    ],
)
def test_filters_that_exclude_each_other_are_a_conflict(query: str, conflict: str) -> None:
    assert parsed(query).conflict == conflict
