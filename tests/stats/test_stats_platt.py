from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from uncertain_llm.stats.links import compressed_logit, sigmoid
from uncertain_llm.stats.platt import fit_platt


def test_platt_is_never_decreasing_even_where_the_labels_are_inverted() -> None:
    scores = np.linspace(0, 1, 50)

    fit = fit_platt(scores, scores < 0.5)

    assert fit.slope == 0.0
    assert np.ptp(fit.predict(scores)) == 0.0


def test_platt_with_many_labels_forgets_its_prior() -> None:
    rng = np.random.default_rng(4)
    scores = rng.random(50_000)
    truth = sigmoid(1.5 * compressed_logit(scores) + 0.6)

    fit = fit_platt(scores, rng.random(50_000) < truth)

    assert fit.slope == pytest.approx(1.5, abs=0.05)
    assert fit.intercept == pytest.approx(0.6, abs=0.05)
    assert np.abs(fit.predict_mean(scores) - truth).max() < 0.02


def test_platt_band_holds_the_prediction_and_narrows_with_labels() -> None:
    scores, labels = np.tile([0.9, 0.8, 0.3, 0.2], 5), np.tile([1, 0, 1, 0], 5)

    few, many = fit_platt(scores[:4], labels[:4]), fit_platt(scores, labels)
    wide, narrow = few.band([0.8]), many.band([0.8])

    assert wide[0] < few.predict([0.8]) < wide[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


@pytest.mark.parametrize("seed", range(20))
def test_the_averaged_platt_curve_rises_just_between_the_scores_it_names(seed: int) -> None:
    """Labels that hardly follow the score, where averaging can outweigh the slope."""
    rng = np.random.default_rng(seed)
    scores = rng.beta(8, 2, size=25)
    fit = fit_platt(scores, rng.random(25) < 0.9)

    low, high = fit.mean_rises()

    inside, outside = np.linspace(low, high, 200), np.linspace(0.0, low, 200)
    if low == 0.0:
        outside = np.linspace(high, 1.0, 200)
    assert np.all(np.diff(fit.predict_mean(inside)) >= -1e-12)
    assert np.all(np.diff(fit.predict_mean(outside)) <= 1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_platt([1.2], [1]), "scores"),
        (lambda: fit_platt([0.2], [1], prior_sd=(0.0, 1.0)), "prior_sd"),
        (lambda: fit_platt([0.2], [1], edge=0.5), "edge"),
        (lambda: fit_platt([0.2], [1]).band([0.2], level=1.0), "level"),
    ],
)
def test_bad_input_to_platt_scaling_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
