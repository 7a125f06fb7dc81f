"""Pieces of statements: their texts, and their values in the order of the marks."""

import pytest

from revision_quality.recent_changes.sql import Sql, either, every, joined, one_of

A, B = Sql("a = ?", (1,)), Sql("b IN (?, ?)", (2, "?"))


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (every([A, B]), Sql("a = ? AND b IN (?, ?)", (1, 2, "?"))),
        (either([A, B]), Sql("(a = ? OR b IN (?, ?))", (1, 2, "?"))),
        (every([A, either([B, A])]), Sql("a = ? AND (b IN (?, ?) OR a = ?)", (1, 2, "?", 1))),
        (every([]), Sql("1 = 1")),
        (either([]), Sql("(1 = 0)")),
        (one_of("n", [5]), Sql("n = ?", (5,))),
        (one_of("n", [5], negated=True), Sql("n <> ?", (5,))),
        (one_of("n", (5, 6)), Sql("n IN (?, ?)", (5, 6))),
        (one_of("n", (5, 6), negated=True), Sql("n NOT IN (?, ?)", (5, 6))),
        (one_of("n", ()), Sql("1 = 0")),
        (one_of("n", (), negated=True), Sql("1 = 1")),
        (joined(" UNION ALL ", [B, A]), Sql("b IN (?, ?) UNION ALL a = ?", (2, "?", 1))),
    ],
)
def test_a_piece_made_of_others(made: Sql, expected: Sql) -> None:
    assert made == expected
