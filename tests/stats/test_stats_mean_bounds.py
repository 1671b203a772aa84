from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from uncertain_llm.stats.mean_bounds import (
    betting_p_value,
    betting_upper_bound,
)


@pytest.mark.parametrize("shape", ["half", "beta", "binary"])
def test_the_bound_fails_at_most_delta_of_the_time(shape: str) -> None:
    """400 draws; a true failure rate of 0.1 gives more than 60 with probability 0.0008."""
    rng = np.random.default_rng(5)
    draws = {
        "half": lambda: rng.choice([0.0, 0.5], size=80, p=[0.8, 0.2]),
        "beta": lambda: rng.beta(1, 9, size=80),
        "binary": lambda: (rng.random(80) < 0.1).astype(float),
    }

    fails = sum(betting_upper_bound(draws[shape](), delta=0.1) < 0.1 for _ in range(400))

    assert fails <= 60


def test_betting_beats_hoeffding_where_losses_vary_little() -> None:
    """Hoeffding (1963), JASA 58, theorem 2: the mean plus sqrt(ln(1 / delta) / (2 n))."""
    losses = np.random.default_rng(1).beta(20, 80, size=500)

    betting = betting_upper_bound(losses, delta=0.05)

    assert losses.mean() < betting < losses.mean() + np.sqrt(np.log(20) / 1000)


def test_betting_p_value_and_bound_are_the_same_test() -> None:
    losses = np.random.default_rng(2).beta(1, 9, size=200)
    bound = betting_upper_bound(losses, delta=0.05)

    assert betting_p_value(losses, rate=bound + 1e-9, delta=0.05) <= 0.05
    assert betting_p_value(losses, rate=bound - 1e-6, delta=0.05) > 0.05


def test_the_bound_of_no_losses_and_of_all_losses() -> None:
    assert betting_upper_bound([], delta=0.1) == 1.0
    assert betting_p_value([], rate=0.1, delta=0.1) == 1.0
    assert betting_upper_bound([1.0] * 20, delta=0.1) == pytest.approx(1.0)


@pytest.mark.parametrize("losses", [[1.5], [-0.1], [np.nan]])
def test_losses_outside_zero_to_one_are_refused(losses: npt.ArrayLike) -> None:
    with pytest.raises(ValueError, match="losses"):
        betting_upper_bound(losses, delta=0.1)
