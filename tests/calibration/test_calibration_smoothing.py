"""P(right) and P(agrees) of a state, in a few parameters."""

from __future__ import annotations

import itertools

import pytest

from uncertain_llm.calibration.smoothing import PRIOR_MEAN, fit_smoother


def test_labels_that_count_nothing_leave_the_prior() -> None:
    found = fit_smoother([(5, 5, 0.9)], [False], weights=[0.0])

    assert found.coefficients == pytest.approx(PRIOR_MEAN)


def test_more_agreement_and_more_stated_never_mean_less_whatever_the_labels() -> None:
    """Labels that say the opposite of both."""
    states = [(5, a, s) for a in range(1, 6) for s in (0.3, 0.9)] * 20
    labels = [agreeing < 3 and stated < 0.5 for _, agreeing, stated in states]

    found = fit_smoother(states, labels, weights=[1.0] * len(states))

    by_agreement = [found.at(5, a, 0.5) for a in range(1, 6)]
    by_stated = [found.at(5, 3, s / 10) for s in range(11)]
    for values in (by_agreement, by_stated):
        assert all(low <= high + 1e-12 for low, high in itertools.pairwise(values))


def test_many_labels_are_met_where_they_are() -> None:
    """Shares are counted by hand: the answer of 4 of 5 is right in 60 %, that of 5 of 5 in 90 %."""
    states = [(5, 4, None)] * 1000 + [(5, 5, None)] * 1000
    labels = [i < 600 for i in range(1000)] + [i < 900 for i in range(1000)]

    found = fit_smoother(states, labels, weights=[1.0] * 2000)

    assert (found.at(5, 4, None), found.at(5, 5, None)) == pytest.approx((0.6, 0.9), abs=0.02)


def test_what_no_reply_states_counts_as_what_models_mostly_state() -> None:
    found = fit_smoother([(2, 2, 0.5)] * 50, [True, False] * 25, weights=[1.0] * 50)

    assert found.at(2, 2, None) == pytest.approx(found.at(2, 2, 0.9))
