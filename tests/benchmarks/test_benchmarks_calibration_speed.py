"""The speed comparison compares the same work."""

from __future__ import annotations

import numpy as np
import pytest
from calibration_speed import pairs, peak_mb, population
from sklearn.calibration import calibration_curve

from uncertain_llm.stats.calibration_error import reliability_bins


def test_both_sides_of_each_timed_figure_agree() -> None:
    found = {pair.name: (pair.ours(), pair.theirs()) for pair in pairs(3000)}

    for name in ("AUROC", "Brier", "log loss", "fit and predict isotonic | IsotonicRegression"):
        ours, theirs = found[name]
        assert ours == pytest.approx(theirs, abs=1e-6), name


def test_bins_of_equal_mass_are_those_of_scikit_learn() -> None:
    scores, right = population(3000)

    happened, stated = calibration_curve(right, scores, n_bins=15, strategy="quantile")

    bins = reliability_bins(scores, right, n_bins=15)
    assert [b.mean_stated for b in bins] == pytest.approx(stated, abs=0.002)
    assert [b.share_right for b in bins] == pytest.approx(happened, abs=0.01)


def test_peak_memory_grows_with_what_is_held() -> None:
    before = peak_mb()

    held = np.ones(30_000_000)

    assert peak_mb() > before + 50
    assert held.size == 30_000_000
