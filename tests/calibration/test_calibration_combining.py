"""Weights of signals: fitted where labels carry them, the shipped ones elsewhere."""

from __future__ import annotations

import math
import re

from labelled_world import world

from uncertain_llm.calibration.combining import Example, fit_combiner, prior_combiner
from uncertain_llm.calibration.fitting import fit_estimator
from uncertain_llm.calibration.prior import load_prior


def test_no_weight_of_a_fitted_combiner_is_negative_even_if_a_signal_misleads() -> None:
    turned = [
        Example(
            values={**e.values, "decisiveness": 0.0 if e.is_right else 1.0},
            n_samples=5,
            is_right=e.is_right,
        )
        for e in world(400)
    ]

    combiner = fit_combiner(load_prior(), turned)

    weights = [w for pattern in combiner.patterns for w in pattern.weights.values()]
    assert min(weights) >= 0.0
    fitted = next(p for p in combiner.patterns if p.strong == ("answer_agreement",))
    assert fitted.weights.get("decisiveness", 0.0) == 0.0


def test_a_signal_of_ones_own_gets_a_weight_and_may_be_missing() -> None:
    told = [
        Example(
            values={**e.values, "oracle": 0.9 if e.is_right else 0.1},
            n_samples=5,
            is_right=e.is_right,
        )
        for e in world(300)
    ]
    combiner = fit_combiner(load_prior(), told)
    values = {"answer_agreement": 0.6, "question_brevity": 0.5}

    scores = [
        combiner.score({**values, **own}, 5) for own in ({"oracle": 0.1}, {}, {"oracle": 0.9})
    ]

    low, missing, high = (s.score for s in scores if s is not None)
    assert low < missing < high


def test_few_labels_leave_the_shipped_weights_in_place() -> None:
    combiner = fit_combiner(load_prior(), world(20))

    assert combiner.patterns == load_prior().patterns


def test_weights_are_fitted_only_where_that_helps_on_labels_not_seen() -> None:
    told = [
        Example(values={**e.values, "oracle": float(e.is_right)}, n_samples=5, is_right=e.is_right)
        for e in world(300)
    ]

    with_oracle = fit_estimator(load_prior(), told, seed=0)
    without = fit_estimator(load_prior(), world(300), seed=0)

    assert with_oracle.estimator.combiner.source == "fitted"
    assert "fitted weights" in with_oracle.why_combiner
    assert without.estimator.combiner.source == load_prior().name


def test_shipped_weights_are_frozen_whatever_the_labels_say() -> None:
    right, wrong = (
        [Example(values=e.values, n_samples=5, is_right=flag) for e in world(50)]
        for flag in (True, False)
    )

    assert prior_combiner(load_prior(), right) == prior_combiner(load_prior(), wrong)


def test_the_gain_of_own_weights_is_that_of_knowing_every_label() -> None:
    """Where agreement says nothing, a signal that knows the label is worth all of ln 2."""
    halves = (0.0, 1.0) * 200
    told = [
        Example(values={"answer_agreement": 0.6, "oracle": x}, n_samples=5, is_right=x == 1.0)
        for x in halves
    ]

    why = fit_estimator(load_prior(), told, seed=0).why_combiner

    found = re.search(r"change the log loss by (-0\.\d+)", why)
    assert found is not None
    assert -math.log(2) < float(found[1]) < -math.log(2) + 0.03
