"""The ceilings of the guarantee benchmark bound what they say they bound."""

from __future__ import annotations

import numpy as np
import pytest
from guarantee import DELTA, RULES, Ceilings, best_test, measure
from labelled_sets import LabelledSet
from scipy.stats import binom


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.3])
def test_the_most_powerful_test_uses_up_delta_and_no_more(alpha: float) -> None:
    most_wrong, chance = best_test(60, alpha)

    for trials in range(61):
        passes = [
            1.0 if x <= most_wrong[trials] else chance[trials] * (x == most_wrong[trials] + 1)
            for x in range(trials + 1)
        ]
        size = sum(binom.pmf(range(trials + 1), trials, alpha) * np.array(passes))
        assert size == pytest.approx(DELTA)


def test_with_22_labels_and_no_error_10_percent_is_just_certified() -> None:
    most_wrong, _ = best_test(40, 0.1)

    assert most_wrong[[0, 21, 22, 37, 38]].tolist() == [-1, -1, 0, 0, 1]


def test_no_valid_rule_lets_more_through_than_the_ceilings() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 20, 600) / 20
    right = (rng.random(600) < 0.6 + 0.4 * scores) * 1.0

    outcomes, ceilings = measure(LabelledSet("made", [], scores, right), 200, 0.1, 40)

    assert ceilings is not None
    exact, by_lot = ceilings
    for name in set(RULES) - {"plug-in"}:
        assert outcomes[name].n_broken == 0  # a broken promise may let more through
        assert np.mean(outcomes[name].shares) <= exact <= by_lot


def test_a_threshold_whose_risk_is_too_high_is_no_ceiling() -> None:
    scores, losses = np.array([0.9] * 50 + [0.1] * 50), np.array([0.0] * 50 + [1.0] * 50)
    ceilings = Ceilings(scores, losses, 60, 0.1)

    ceilings.add(np.arange(60), 0.0)

    assert ceilings.means == (0.5, 0.5)
