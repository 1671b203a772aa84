"""Groups that share a calibrator as far as their labels say that they do."""

from __future__ import annotations

import math

import numpy as np
import pytest
from labelled_world import measured, world

from uncertain_llm.calibration.fitting import fit_estimator
from uncertain_llm.calibration.pooling import fit_groups, shifted
from uncertain_llm.calibration.prior import load_prior


def test_groups_that_differ_get_shifts_and_unknown_ones_a_wider_band() -> None:
    examples = world(300, shift=1.5, group="law") + world(300, seed=1, shift=-1.5, group="art")
    estimator = fit_estimator(load_prior(), examples, seed=0, group_by="domain").estimator
    given = measured(answer_agreement=0.6, question_brevity=0.5)

    law, art, new = (
        estimator.for_group_named(name).estimate(given, n_samples=5)
        for name in ("law", "art", "sport")
    )

    assert law.probability is not None
    assert law.probability == pytest.approx(1 / (1 + math.exp(-(0.4 + 1.5))), abs=0.08)
    assert art.probability == pytest.approx(1 / (1 + math.exp(-(0.4 - 1.5))), abs=0.08)
    assert new.band is not None
    assert law.band is not None
    assert new.band[1] - new.band[0] > law.band[1] - law.band[0]


def test_groups_that_do_not_differ_share_one_calibrator() -> None:
    examples = world(300, group="law") + world(300, seed=1, group="art")

    estimator = fit_estimator(load_prior(), examples, seed=0, group_by="domain").estimator

    assert estimator.groups is None


def test_a_group_with_few_labels_is_pulled_to_the_others() -> None:
    p = [0.5] * 206
    right = [1] * 80 + [0] * 20 + [1] * 20 + [0] * 80 + [1] * 6
    names = ["a"] * 100 + ["b"] * 100 + ["c"] * 6

    groups = fit_groups(p, right, names, by="domain")

    assert groups is not None
    found = {g.group: g for g in groups.shifts}
    # All six are right, which by itself would be certainty.
    assert 0.0 < found["c"].shift < 2 * found["a"].shift
    assert found["c"].sd > found["a"].sd
    assert shifted(np.array([0.5]), ["new"], groups)[0] == pytest.approx(0.5)


def test_one_group_alone_is_no_group() -> None:
    assert fit_groups([0.5] * 10, [1] * 10, ["a"] * 10, by="domain") is None
