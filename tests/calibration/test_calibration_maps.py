"""From scores to probabilities: the maps that a file holds, and the averages of forms."""

from __future__ import annotations

import math

import numpy as np
import pytest

from uncertain_llm.calibration.choosing import choose_calibrator
from uncertain_llm.calibration.maps import IsotonicMap, PlattMap, logit
from uncertain_llm.stats.isotonic import fit_isotonic, fit_shrunk_isotonic
from uncertain_llm.stats.metrics import log_loss
from uncertain_llm.stats.platt import fit_platt


def test_an_isotonic_map_says_what_its_fit_says() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(500).round(2)
    right = (rng.random(500) < scores).astype(float)
    isotonic = fit_shrunk_isotonic(scores, right)
    knots = IsotonicMap(
        scores=tuple(isotonic.scores),
        values=tuple(isotonic.values),
        lows=tuple(isotonic.values),
        highs=tuple(isotonic.values),
    )

    for score in (0.0, 0.005, 0.31, 0.77, 1.0):
        assert knots.at(score).probability == pytest.approx(isotonic.predict([score])[0])


LEVELS = np.array([0.1, 0.35, 0.6, 0.8, 0.93])
STEPS, LINE = np.array([0.15, 0.5, 0.55, 0.6, 0.85]), np.array([0.2, 0.42, 0.63, 0.78, 0.9])


def _levels(n: int, seed: int, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Five scores as of five replies: scores, labels, the truth."""
    rng = np.random.default_rng(seed)
    place = rng.choice(5, size=n, p=[0.1, 0.15, 0.15, 0.2, 0.4])
    return LEVELS[place], (rng.random(n) < truth[place]).astype(float), truth[place]


@pytest.mark.parametrize("truth", [STEPS, LINE])
def test_an_average_is_nearer_to_the_better_of_platt_and_isotonic_whatever_the_truth(
    truth: np.ndarray,
) -> None:
    fresh, outcomes, _ = _levels(20_000, 99, truth)
    losses = []
    for seed in range(12):
        scores, right, _ = _levels(200, seed, truth)
        choice = choose_calibrator(scores, right, np.random.default_rng(0))
        fits = [fit_platt(scores, right), fit_isotonic(scores, right)]
        said = [choice.fit.predict(fresh), *(fit.predict(fresh) for fit in fits)]
        losses.append([log_loss(p, outcomes) for p in said])

    average, *alone = np.mean(losses, axis=0)

    assert average < np.mean(alone)


@pytest.mark.parametrize("n", [100, 300, 1000])
def test_the_band_of_an_average_covers_the_truth_about_as_often_as_it_says(n: int) -> None:
    held = []
    for seed in range(40):
        scores, right, truth = _levels(n, seed, STEPS)
        found = choose_calibrator(scores, right, np.random.default_rng(0)).fit.as_map()
        of_score = dict(zip(scores.tolist(), truth.tolist(), strict=True))
        held += [found.at(s).low <= p <= found.at(s).high for s, p in of_score.items()]

    # 90 % is the aim; with 100 labels a curve still smooths steps away that are there.
    assert np.mean(held) >= 0.8


def test_an_average_has_few_knots_however_many_scores_there_are() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(6000)
    fit = choose_calibrator(scores, (rng.random(6000) < scores) * 1.0, rng).fit

    table = fit.as_map()

    assert isinstance(table, IsotonicMap)
    assert len(table.scores) <= 512
    assert (table.scores[0], table.scores[-1]) == (scores.min(), scores.max())
    assert np.abs(fit.predict(scores) - scores).max() < 0.1


def test_a_map_fitted_before_probabilities_were_averaged_says_what_it_said() -> None:
    scores = np.linspace(0.05, 0.95, 40)
    fit = fit_platt(scores, scores > 0.6)
    (v_aa, v_ab), (v_ba, v_bb) = fit.covariance.tolist()
    old = PlattMap(
        coefficients=(fit.slope, fit.intercept),
        covariance=((v_aa, v_ab), (v_ba, v_bb)),
        edge=fit.edge,
    )

    assert old.at(0.7).probability == pytest.approx(fit.predict([0.7])[0])


def test_the_map_of_few_labels_says_what_its_fit_says() -> None:
    scores = np.linspace(0.05, 0.95, 40)
    fit = choose_calibrator(scores, (scores > 0.6) * 1.0, np.random.default_rng(0)).fit
    found = fit.as_map()

    for score in (0.0, 0.3, 0.8, 1.0):
        reading = found.at(score)
        assert reading.probability == pytest.approx(fit.predict(np.array([score]))[0])
        assert reading.low <= reading.probability <= reading.high


def test_log_odds_are_finite_at_the_ends() -> None:
    assert math.isfinite(logit(0.0))
    assert logit(1.0) == pytest.approx(-logit(0.0))
