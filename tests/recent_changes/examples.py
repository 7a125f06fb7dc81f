"""Changes, levels and sites to test with."""

from typing import Any

from hypothesis import strategies as st

from revision_quality.levels.level import Level
from revision_quality.recent_changes.wiki_levels import WikiLevels
from revision_quality.sites import Site
from revision_quality.views.change import Change, State, UserLevel

SITE = Site(wiki_id="enwiki", name="English", lang="en", dir="ltr", server="https://en.example")
HEBREW = Site(
    wiki_id="hewiki",
    name="עברית",
    lang="he",
    dir="rtl",
    server="https://he.example",
    namespaces={1: "שיחה", 2: "משתמש"},
)
SITES = {"enwiki": SITE, "hewiki": HEBREW}


def level(name: str, threshold: float, precision: float = 0.5) -> Level:
    return Level(
        name=name, threshold=threshold, precision=precision, recall=0.6, flag_rate=0.04, target=""
    )


LEVELS = WikiLevels(
    default=(
        level("likelygood", 0.1, 0.99),
        level("maybebad", 0.3, 0.15),
        level("likelybad", 0.6, 0.45),
        level("verylikelybad", 0.9, 0.9),
    ),
    by_wiki={"hewiki": (level("likelygood", 0.2), level("maybebad", 0.15))},
)


def change(rev_id: int = 5, **fields: Any) -> Change:
    """A scored edit of an ordinary page; `fields` say what is different."""
    ordinary = {
        "wiki_id": "enwiki",
        "seq": rev_id,
        "timestamp": 1_700_000_000 + rev_id,
        "parent_id": 1,
        "page_id": 7,
        "title": "Main Page",
        "user": "Alice",
        "user_level": UserLevel.EXPERIENCED,
        "comment": "typo",
        "size": 130,
        "parent_size": 100,
        "state": State.SCORED,
        "score": 0.25,
        "model_name": "revertrisk",
        "model_version": "1",
    }
    return Change(rev_id=rev_id, **{**ordinary, **fields})


wiki_ids = st.sampled_from(["enwiki", "hewiki", "my_wiki", "b-wiki"])
few_times = st.integers(1_700_000_000, 1_700_000_003)
scores = st.one_of(
    st.none(), st.floats(0, 1), st.sampled_from([0.1, 0.15, 0.2, 0.3, 0.6, 0.9, 0.0, 1.0])
)

changes = st.builds(
    Change,
    wiki_id=wiki_ids,
    rev_id=st.integers(1, 4),
    seq=st.integers(1, 10**9),
    timestamp=few_times,
    namespace=st.sampled_from([0, 1, 2, 100]),
    title=st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=10),
    kind=st.sampled_from(["edit", "create", "move"]),
    user_level=st.sampled_from(UserLevel),
    tags=st.sampled_from([(), (), ("a",), ("mobile edit", 'q"é'), ("A",)]),
    is_reverted=st.booleans(),
    is_bot=st.booleans(),
    is_minor=st.booleans(),
    deleted=st.sampled_from([False, False, False, True]),
    state=st.sampled_from(State),
    score=scores,
)
