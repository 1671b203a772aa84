from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from uncertain_llm.stats.estimation import aipw_mean, ipw_mean, ppi_mean

VALUES = np.array([1.0, 0.0, 1.0, 1.0])
CHANCES = np.array([0.2, 0.9, 0.5, 0.7])
GUESSES = np.array([0.8, 0.3, 0.1, 0.6])


def _designs() -> list[tuple[np.ndarray, float]]:
    """Every pattern of labelled items, with its probability; the one without labels left out."""
    patterns = [np.array(bits, dtype=bool) for bits in product([0, 1], repeat=4) if any(bits)]
    return [(a, float(np.prod(np.where(a, CHANCES, 1 - CHANCES)))) for a in patterns]


def test_ipw_is_unbiased_over_every_way_to_label() -> None:
    mean = sum(chance * ipw_mean(VALUES[a], CHANCES[a], n_items=4).mean for a, chance in _designs())

    # The pattern without any label contributes an estimate of 0.
    assert mean == pytest.approx(VALUES.mean())


def test_aipw_is_unbiased_whatever_the_predictions_are_worth() -> None:
    nothing_labelled = float(np.prod(1 - CHANCES)) * GUESSES.mean()
    mean = sum(
        chance
        * aipw_mean(VALUES[a], CHANCES[a], GUESSES[a], GUESSES[~a], prediction_weight=1.0).mean
        for a, chance in _designs()
    )

    assert mean + nothing_labelled == pytest.approx(VALUES.mean())


def test_aipw_with_weight_zero_is_ipw() -> None:
    left = aipw_mean(VALUES, CHANCES, GUESSES, [0.5, 0.4], prediction_weight=0.0)
    right = ipw_mean(VALUES, CHANCES, n_items=6)

    assert (left.mean, left.standard_error) == pytest.approx((right.mean, right.standard_error))


def test_with_every_item_labelled_all_estimators_are_the_plain_mean() -> None:
    ones = np.ones(4)

    assert ipw_mean(VALUES, ones, n_items=4).mean == pytest.approx(VALUES.mean())
    assert aipw_mean(VALUES, ones, GUESSES, []).mean == pytest.approx(VALUES.mean())
    assert ipw_mean(VALUES, ones, n_items=4).standard_error == pytest.approx(VALUES.std(ddof=1) / 2)


def _traffic(seed: int, *, quality: float) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rate = rng.beta(1, 6, size=4000)
    judge = quality * rate + (1 - quality) * rng.beta(1, 6, size=4000)
    wrong = (rng.random(4000) < rate).astype(float)
    return wrong, quality * wrong + (1 - quality) * judge


@pytest.mark.parametrize("estimator", ["ipw", "aipw", "ppi"])
def test_intervals_cover_the_truth_about_as_often_as_they_say(estimator: str) -> None:
    """300 draws at 90 %: below 250 or above 289 would be about 4 sigma."""
    rng = np.random.default_rng(8)
    hits = 0
    for seed in range(300):
        wrong, judge = _traffic(seed, quality=0.7)
        chances = np.where(judge > 0.2, 0.3, 0.05) if estimator != "ppi" else np.full(4000, 0.1)
        a = rng.random(4000) < chances
        estimate = {
            "ipw": lambda a=a, w=wrong, c=chances: ipw_mean(w[a], c[a], n_items=4000, level=0.9),
            "aipw": lambda a=a, w=wrong, c=chances, j=judge: aipw_mean(
                w[a], c[a], j[a], j[~a], level=0.9
            ),
            "ppi": lambda a=a, w=wrong, j=judge: ppi_mean(w[a], j[a], j[~a], level=0.9),
        }[estimator]()
        hits += estimate.low <= 1 / 7 <= estimate.high

    assert 250 <= hits <= 289


def test_a_good_judge_shortens_the_interval_and_a_useless_one_does_no_harm() -> None:
    wrong, judge = _traffic(1, quality=0.9)
    noise = np.random.default_rng(0).random(4000)
    a = np.arange(4000) % 20 == 0
    alone = wrong[a].std(ddof=1) / np.sqrt(a.sum())

    good, useless = ppi_mean(wrong[a], judge[a], judge[~a]), ppi_mean(wrong[a], noise[a], noise[~a])

    assert good.standard_error < 0.5 * alone
    assert useless.standard_error < 1.02 * alone
    assert useless.prediction_weight < 0.3


def test_the_best_weight_is_the_best_of_a_grid() -> None:
    wrong, judge = _traffic(2, quality=0.6)
    a = np.random.default_rng(1).random(4000) < 0.1
    arguments = (wrong[a], np.full(int(a.sum()), 0.1), judge[a], judge[~a])

    chosen = aipw_mean(*arguments)
    grid = [
        aipw_mean(*arguments, prediction_weight=weight).standard_error
        for weight in np.linspace(0, 1, 101)
    ]

    assert chosen.standard_error <= min(grid) + 1e-9


def test_a_judge_without_spread_gets_no_weight() -> None:
    assert ppi_mean([1.0, 0.0], [0.5, 0.5], [0.5, 0.5]).prediction_weight == 0.0
    assert aipw_mean([1.0, 0.0], [1.0, 1.0], [0.5, 0.4], []).prediction_weight == 0.0


def test_bad_input_to_an_estimator_is_refused() -> None:
    with pytest.raises(ValueError, match="no labelled"):
        ipw_mean([], [], n_items=3)
    with pytest.raises(ValueError, match="propensities"):
        ipw_mean([1.0], [0.0], n_items=3)
    with pytest.raises(ValueError, match="n_items"):
        ipw_mean([1.0, 0.0], [0.5, 0.5], n_items=1)
    with pytest.raises(ValueError, match="at least 2 items"):
        aipw_mean([1.0], [0.5], [0.5], [])
    with pytest.raises(ValueError, match="at least 2 labelled"):
        ppi_mean([1.0], [1.0], [1.0, 0.0])
    with pytest.raises(ValueError, match="level"):
        ipw_mean([1.0, 0.0], [0.5, 0.5], n_items=3, level=1.0)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_a_perfect_judge_of_as_many_other_items_gets_the_weight_of_the_closed_form(n: int) -> None:
    """Twice the same n predictions have 2 (n - 1) / (2 n - 1) of the variance of once."""
    values = np.arange(n, dtype=float)

    found = ppi_mean(values, values, values)

    assert found.prediction_weight == pytest.approx((2 * n - 1) / (4 * (n - 1)))


def test_a_chance_of_a_label_above_one_is_refused() -> None:
    with pytest.raises(ValueError, match="propensities"):
        ipw_mean([1.0, 0.0], [0.5, 1.5], n_items=4)
