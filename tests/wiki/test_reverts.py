"""Identity reverts, and what became of each revision."""

import mwreverts
import pytest
from hypothesis import given
from hypothesis import strategies as st

from revision_quality.wiki.reverts import RADIUS, Fate, Revert, RevertDetector, fates
from tests.training.histories.make import HIDDEN, STORIES, story

CHECKSUMS = st.lists(st.sampled_from("abcde"), max_size=40)


def fates_of(text: str, radius: int = RADIUS) -> list[Fate]:
    history = [
        (None if edit.text == HIDDEN else edit.text, None if edit.user == HIDDEN else edit.user)
        for edit in story(text)
    ]
    return [fate for _, fate in fates(history, lambda item: item, radius)]


R, K, U = Fate.REVERTED, Fate.KEPT, Fate.UNCLEAR


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain revert", [K, R, K]),
        ("self-revert", [K, U, K]),
        ("revert of several", [K, R, R, R, K]),
        ("revert by one of those reverted", [K, U, R, K]),
        ("reverted revert", [K, U, U, R, K]),
        ("came back", [K, U, R, K, K]),
        ("a move in between", [K, R, R, K]),
        ("hidden text", [K, R, K]),
        ("hidden texts are not alike", [K, K, K]),
        ("hidden editor", [K, U, K]),
        ("reverted by a hidden editor", [K, U, K]),
    ],
)
def test_the_fate_of_every_revision(name, expected):
    assert fates_of(STORIES[name][0]) == expected


@pytest.mark.parametrize(("between", "fate"), [(RADIUS, R), (RADIUS + 1, K)])
def test_a_revert_reaches_as_far_as_the_radius(between, fate):
    bad = " ".join(f"bad{number}:Vic" for number in range(between))

    assert fates_of(f"good:Ana {bad} good:Ben")[1:-1] == [fate] * between


@pytest.mark.parametrize(("between", "fate"), [(2, U), (3, R)])
def test_a_text_comes_back_within_the_radius_after_its_revert(between, fate):
    later = " ".join(f"new{number}:Dan" for number in range(between))

    assert fates_of(f"good:Ana bad:Vic good:Ben {later} bad:Eve", radius=3)[1] == fate


@given(CHECKSUMS, st.integers(1, 6))
def test_reverts_are_those_of_mwreverts(checksums, radius):
    ours, theirs = RevertDetector(radius), mwreverts.Detector(radius=radius)
    for number, checksum in enumerate(checksums):
        found, peer = ours.process(checksum), theirs.process(checksum, number)
        assert (found is None) == (peer is None)
        if found and peer:
            assert found == Revert(peer.reverting, peer.reverted_to)
            assert sorted(found.reverted) == sorted(peer.reverteds)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=60))
def test_every_revision_comes_out_once_in_order_with_the_fate_of_the_whole_history(history):
    numbered = list(enumerate(history))

    streamed = list(fates(numbered, lambda item: item[1], radius=3))

    assert [item for item, _ in streamed] == numbered
    assert [fate for _, fate in streamed] == [
        _fate(history, place, 3) for place in range(len(history))
    ]


def _fate(history: list[tuple[str, str]], place: int, radius: int) -> Fate:
    """The definition, read off the whole history at once."""
    detector = mwreverts.Detector(radius=radius)
    reverts = [detector.process(text, number) for number, (text, _) in enumerate(history)]
    undone = [revert.reverting for revert in reverts if revert and place in revert.reverteds]
    by_other = [number for number in undone if history[number][1] != history[place][1]]
    if not undone:
        return Fate.KEPT
    if not by_other:
        return Fate.UNCLEAR
    after = history[by_other[0] + 1 : by_other[0] + 1 + radius]
    return Fate.UNCLEAR if history[place][0] in [text for text, _ in after] else Fate.REVERTED


def test_few_revisions_wait_however_long_the_history_is():
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield str(taken % 7), str(taken % 3)

    most = 0
    for given_back, _ in enumerate(fates(endless(), lambda item: item), 1):
        most = max(most, taken - given_back)
        if given_back == 5000:
            break

    assert most <= 2 * RADIUS
