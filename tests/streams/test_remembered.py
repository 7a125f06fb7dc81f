"""Ids in little room: none that was added is forgotten before its time."""

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from revision_quality.streams.kafka.remembered import Remembered, number_of

NAMESPACE = UUID(int=1)
NUMBERS = st.lists(st.integers(0, 2**64 - 1))


@given(added=NUMBERS, asked=NUMBERS)
def test_it_knows_what_was_added_and_nothing_else(added: list[int], asked: list[int]):
    remembered = Remembered(chunk=4)
    for time, number in enumerate(added):
        remembered.add(number, time)

    assert remembered.known([*added, *asked]) == set(added)
    assert remembered.known(asked) == set(added) & set(asked)


def test_old_chunks_are_forgotten_whole_and_the_latest_are_kept():
    remembered = Remembered(chunk=10)
    for time in range(35):
        remembered.add(time, time)

    remembered.forget(before=15)

    assert remembered.known(range(35)) == set(range(10, 35))
    assert len(remembered) == 25


def test_ids_of_events_have_numbers_of_their_own():
    identifiers = [str(uuid5(NAMESPACE, str(number))) for number in range(20_000)]

    assert len({number_of(identifier) for identifier in identifiers}) == len(identifiers)
    assert all(0 <= number_of(identifier) < 2**64 for identifier in identifiers[:100])
