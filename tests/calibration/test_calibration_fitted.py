"""Fitting on labels: what so many labels can carry, and what the fit says of new answers."""

from __future__ import annotations

import math
import re
from itertools import pairwise

import numpy as np
import pytest
from labelled_world import measured, world

from uncertain_llm.calibration.choosing import candidates, choose_calibrator
from uncertain_llm.calibration.combining import Example
from uncertain_llm.calibration.fitted import FittedEstimator, Method
from uncertain_llm.calibration.fitting import CombinerChoice, cross_fit, fit_estimator
from uncertain_llm.calibration.prior import load_prior
from uncertain_llm.core.confidence import ConfidenceStatus


@pytest.mark.parametrize(
    ("n_labels", "methods"),
    [
        (20, ["platt"]),
        (99, ["platt"]),
        (100, ["platt", "beta", "isotonic"]),
        (299, ["platt", "beta", "isotonic"]),
        (300, ["platt", "beta", "isotonic", "venn_abers"]),
        (49_999, ["platt", "beta", "isotonic", "venn_abers"]),
        (50_000, ["isotonic"]),
    ],
)
def test_the_number_of_labels_says_which_methods_are_tried(
    n_labels: int, methods: list[str]
) -> None:
    assert [m.value for m in candidates(n_labels, n_levels=50)] == methods


def test_venn_abers_is_not_tried_where_it_would_fill_the_file() -> None:
    assert Method.VENN_ABERS not in candidates(1_000_000, n_levels=1_000_000)


@pytest.mark.parametrize("n", [1, 19])
def test_below_twenty_labels_the_shipped_prior_stays_with_its_status(n: int) -> None:
    fitted = fit_estimator(load_prior(), world(n), seed=0).estimator

    found = fitted.estimate(measured(answer_agreement=0.8), n_samples=5)

    plain = load_prior().estimate(measured(answer_agreement=0.8), n_samples=5)
    assert fitted.method is Method.PRIOR
    assert (found.probability, found.status) == (plain.probability, ConfidenceStatus.PRIOR)


def test_with_many_labels_the_probability_is_the_true_rate() -> None:
    estimator = fit_estimator(load_prior(), world(1500), seed=0).estimator

    for agreement in (0.2, 0.6, 1.0):
        truth = 1 / (1 + math.exp(-(4 * agreement - 2)))
        found = estimator.estimate(
            measured(answer_agreement=agreement, question_brevity=0.5), n_samples=5
        )
        assert found.probability == pytest.approx(truth, abs=0.05)
        assert found.status is ConfidenceStatus.CALIBRATED


def test_probabilities_are_better_than_the_prior_on_labels_that_were_not_seen() -> None:
    estimator = fit_estimator(load_prior(), world(300, shift=1.5), seed=0).estimator

    def loss(estimator: object) -> float:
        found = 0.0
        for example in world(500, seed=9, shift=1.5):
            given = measured(**dict(example.values))
            p = estimator.estimate(given, n_samples=5).probability  # type: ignore[attr-defined]
            found -= math.log(p if example.is_right else 1 - p)
        return found

    assert loss(estimator) < loss(load_prior())


@pytest.mark.parametrize("labels", [True, False])
def test_labels_of_one_kind_only_give_a_probability_short_of_certainty(labels: bool) -> None:
    examples = [Example(values=e.values, n_samples=5, is_right=labels) for e in world(60)]

    estimator = fit_estimator(load_prior(), examples, seed=0).estimator

    found = estimator.estimate(measured(answer_agreement=1.0), n_samples=5)
    assert found.probability is not None
    assert 0.0 < found.probability < 1.0


def test_constant_scores_give_about_the_base_rate() -> None:
    examples = [
        Example(values={"answer_agreement": 0.6}, n_samples=5, is_right=i % 4 != 0)
        for i in range(400)
    ]

    estimator = fit_estimator(load_prior(), examples, seed=0).estimator

    found = estimator.estimate(measured(answer_agreement=0.6), n_samples=5)
    assert found.probability == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("values", [{"answer_agreement": 0.0}, {"answer_agreement": 1.0}])
def test_a_score_beyond_all_seen_is_marked_and_not_extrapolated(values: dict[str, float]) -> None:
    middle = [e for e in world(600) if 0.3 < e.values["answer_agreement"] < 0.7]
    estimator = fit_estimator(load_prior(), middle, seed=0).estimator

    found = estimator.estimate(measured(**values), n_samples=5)

    ends = [estimator.probability_at(end) for end in (0.0, 1.0)]
    assert found.status is ConfidenceStatus.OUT_OF_RANGE
    assert found.probability in ends


def test_another_number_of_replies_than_seen_is_out_of_range() -> None:
    estimator = fit_estimator(load_prior(), world(100), seed=0).estimator

    found = estimator.estimate(measured(answer_agreement=0.8), n_samples=9)

    assert found.status is ConfidenceStatus.OUT_OF_RANGE


def test_signals_that_no_label_covers_fall_back_to_the_prior() -> None:
    estimator = fit_estimator(load_prior(), world(100), seed=0).estimator

    found = estimator.estimate(measured(stated_probability=0.9), n_samples=5)

    assert found.status is ConfidenceStatus.PRIOR


def test_the_look_of_a_question_alone_is_no_ground_for_a_probability() -> None:
    estimator = fit_estimator(load_prior(), world(100), seed=0).estimator

    found = estimator.estimate(measured(question_brevity=0.9), n_samples=5)

    assert (found.probability, found.status) == (None, ConfidenceStatus.UNCALIBRATED)


def test_nothing_measured_is_unavailable() -> None:
    estimator = fit_estimator(load_prior(), world(100), seed=0).estimator

    assert estimator.estimate([], n_samples=5).status is ConfidenceStatus.UNAVAILABLE


@pytest.mark.parametrize("n", [40, 150, 500])
def test_every_band_holds_its_probability_and_narrows_with_labels(n: int) -> None:
    few = fit_estimator(load_prior(), world(30), seed=0).estimator
    more = fit_estimator(load_prior(), world(n), seed=0).estimator

    def band(estimator: FittedEstimator, agreement: float) -> tuple[float, float, float]:
        found = estimator.estimate(measured(answer_agreement=agreement), n_samples=5)
        assert found.band is not None
        assert found.probability is not None
        return found.band[0], found.probability, found.band[1]

    for agreement in (0.2, 0.6, 1.0):
        low, p, high = band(more, agreement)
        assert low <= p <= high
    low, _, high = band(few, 0.6)
    narrow = band(more, 0.6)
    assert narrow[2] - narrow[0] < high - low


def test_the_band_of_a_platt_fit_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = 1 / (1 + math.exp(-(4 * 0.6 - 2)))
    hits = 0
    for seed in range(100):
        estimator = fit_estimator(load_prior(), world(80, seed=seed), seed=0).estimator
        band = estimator.estimate(
            measured(answer_agreement=0.6, question_brevity=0.5), n_samples=5
        ).band
        hits += band is not None and band[0] <= truth <= band[1]

    # The curve is not quite the truth's, so a little below 90 of 100 is what to expect.
    assert hits >= 75


def test_the_same_labels_give_the_same_file_whatever_was_drawn_before() -> None:
    first = fit_estimator(load_prior(), world(350), seed=4).estimator
    np.random.default_rng(1).random(100)
    again = fit_estimator(load_prior(), world(350), seed=4).estimator

    assert first == again
    assert first.name == again.name


def test_a_fitted_estimator_survives_json_unchanged() -> None:
    for n in (10, 50, 150, 400):
        fitted = fit_estimator(load_prior(), world(n), seed=0).estimator

        again = FittedEstimator.model_validate_json(fitted.model_dump_json())

        assert again == fitted


def test_a_surer_answer_never_gets_a_lower_probability() -> None:
    for n in (40, 150, 1000):
        estimator = fit_estimator(load_prior(), world(n, seed=3), seed=0).estimator

        found = [estimator.probability_at(s) for s in np.linspace(0, 1, 200)]

        assert all(b >= a - 1e-12 for a, b in pairwise(found))


def test_a_curve_that_platt_cannot_follow_is_left_to_flexible_forms() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(3000)
    right = (rng.random(3000) < np.where(scores > 0.5, 0.8, 0.3)).astype(float)

    choice = choose_calibrator(scores, right, np.random.default_rng(0))

    np.testing.assert_allclose(choice.fit.predict(np.array([0.25, 0.75])), [0.3, 0.8], atol=0.05)
    assert choice.fit.method is Method.AVERAGE
    assert choice.log_losses[Method.AVERAGE] < choice.log_losses[Method.PLATT]


def test_with_very_many_labels_no_smooth_form_bends_the_curve() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(60_000)
    truth = 0.15 + 0.7 * (scores + 0.08 * np.sin(12 * scores))  # rises, but not as an S
    right = (rng.random(60_000) < truth).astype(float)

    fit = choose_calibrator(scores, right, np.random.default_rng(0)).fit
    found = [fit.as_map().at(score) for score in scores[:500].tolist()]

    assert fit.method is Method.ISOTONIC
    error = [reading.probability - p for reading, p in zip(found, truth, strict=False)]
    assert np.abs(error).mean() < 0.01
    held = [reading.low <= p <= reading.high for reading, p in zip(found, truth, strict=False)]
    assert np.mean(held) > 0.85


def test_the_fit_says_what_each_form_weighs_and_how_each_did() -> None:
    fitted = fit_estimator(load_prior(), world(150), seed=0)

    assert re.fullmatch(
        r"0\.\d\d platt \(0\.\d{4}\), 0\.\d\d beta \(0\.\d{4}\), 0\.\d\d isotonic \(0\.\d{4}\); "
        r"in brackets the log loss on labels left out, of all 0\.\d{4}",
        fitted.why,
    )
    assert set(fitted.log_losses) == {"platt", "beta", "isotonic", "average"}


def test_held_out_probabilities_do_not_know_their_own_label() -> None:
    """Labels drawn by a coin: whoever sees them beats log 2, whoever does not cannot."""
    rng = np.random.default_rng(0)
    coin = [
        Example(values=e.values, n_samples=5, is_right=bool(rng.random() < 0.5)) for e in world(300)
    ]

    held_out = cross_fit(load_prior(), coin, seed=0, combiner=CombinerChoice.FITTED)

    losses = -np.log(
        np.where(held_out.labels > 0.5, held_out.probabilities, 1 - held_out.probabilities)
    )
    assert losses.mean() > math.log(2) - 0.01
    assert held_out.places == tuple(range(300))
