"""Sequence likelihood: the geometric mean where log-probabilities are real, else a reason."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncertain_llm.core.confidence import Clustering, Evidence, Measurement, Sample
from uncertain_llm.signals.likelihood import SequenceLikelihood


def measured(values: tuple[float, ...] | None) -> Measurement:
    answer = Sample(text="1932", token_log_probabilities=values)
    return SequenceLikelihood().measure(
        Evidence(
            question="When?",
            answer=answer,
            samples=(answer,),
            n_requested=1,
            clustering=Clustering(clusters=((0,),), answer_cluster=0),
        )
    )


def test_the_value_is_the_geometric_mean_of_the_token_probabilities() -> None:
    """sqrt(0.9 * 0.4) = 0.6."""
    found = measured((math.log(0.9), math.log(0.4)))

    assert found.value == pytest.approx(0.6)
    assert found.details["n_tokens"] == 2
    assert found.details["least"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (None, "not_returned"),
        ((), "not_returned"),
        ((0.0,), "sentinel_zero"),
        ((0.0, -0.0, 0.0), "sentinel_zero"),
        ((-0.1, -9999.0), "sentinel_minus_9999"),
        ((-9999.0, -9999.0), "sentinel_minus_9999"),
        ((0.93, 0.4), "not_log_probabilities"),
    ],
)
def test_what_is_no_real_log_probability_is_refused_by_name(
    values: tuple[float, ...] | None, reason: str
) -> None:
    found = measured(values)

    assert (found.value, found.missing) == (None, reason)


def test_a_certain_token_among_others_is_no_sentinel() -> None:
    assert measured((0.0, math.log(0.25))).value == pytest.approx(0.5)


@given(st.lists(st.floats(min_value=-800, max_value=-1e-9), min_size=1, max_size=50))
def test_the_value_lies_between_the_least_and_the_greatest_token(values: list[float]) -> None:
    found = measured(tuple(values)).value

    assert found is not None
    assert math.exp(min(values)) * (1 - 1e-9) <= found <= math.exp(max(values)) * (1 + 1e-9)
