"""Agreement of replies as strings, against the definition written out."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncertain_llm.signals import exact_agreement, word_degree

REPLIES = st.lists(st.sampled_from(["Paris", "paris", "in Paris", "Lyon ", "", "  ", "a b c d"]))


def _degree_by_matrix(replies: list[str]) -> float:
    """The degree matrix of Lin et al. (2024), cell by cell: 1 with itself, else Jaccard."""
    cells = []
    for i, left in enumerate(replies):
        for j, right in enumerate(replies):
            first, second = set(left.lower().split()), set(right.lower().split())
            union = first | second
            cells.append(1.0 if i == j else len(first & second) / len(union) if union else 0.0)
    return sum(cells) / len(cells)


@given(REPLIES.filter(bool))
def test_the_word_degree_is_the_mean_of_the_degree_matrix(replies: list[str]) -> None:
    assert word_degree(replies) == pytest.approx(_degree_by_matrix(replies), abs=1e-12)


@given(REPLIES, st.integers(0, 99))
def test_the_word_degree_does_not_depend_on_the_order(replies: list[str], seed: int) -> None:
    shuffled = random.Random(seed).sample(replies, len(replies))

    assert word_degree(shuffled) == word_degree(replies)


def test_exact_agreement_counts_the_same_letters_alone() -> None:
    assert exact_agreement("Paris", ["Paris", "Paris.", "paris", "Paris"]) == 0.5


def test_without_replies_nothing_is_said() -> None:
    assert exact_agreement("Paris", []) is None
    assert word_degree([]) is None
