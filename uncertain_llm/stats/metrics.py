"""How well probabilities predict: Brier score and its parts, log loss, calibration line.

Labels are 1 for right, 0 for wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    FloatArray,
    as_judged,
    equal_mass_bins,
)
from uncertain_llm.stats.logistic import fit_logistic

__all__ = [
    "BrierParts",
    "CalibrationLine",
    "brier_decomposition",
    "brier_score",
    "calibration_line",
    "log_loss",
]

_LOG_LOSS_CLIP = 2.0**-52
"""Distance of 1 from the next larger double: a probability nearer to 0 or 1 is rounding noise."""


@dataclass(frozen=True, slots=True)
class BrierParts:
    """Brier = reliability - resolution + uncertainty + within_bin.

    Attributes:
        brier: The Brier score itself.
        reliability: Mean squared gap between forecast and outcome of the bins; 0 is best.
        resolution: Spread of the bins' outcome rates; higher is better.
        uncertainty: Variance of the labels; no forecast changes it.
        within_bin: What binning hides: variance of the forecasts inside the bins, less twice their
            covariance with the labels. Exactly 0 when a bin is a distinct forecast.
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float


@dataclass(frozen=True, slots=True)
class CalibrationLine:
    """Log odds of being right as a line in the stated log odds.

    Attributes:
        slope: 1 is ideal; below 1 the forecasts are too extreme (overconfident). None when no
            finite slope exists: constant forecasts, or a cut that separates right from wrong.
        intercept: At that slope; None with it.
        intercept_at_slope_one: Shift of the log odds in the large; 0 is ideal, below 0 the
            forecasts are too high on average.
    """

    slope: float | None
    intercept: float | None
    intercept_at_slope_one: float


def brier_score(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean squared difference between probability and label; lower is better.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.

    Returns:
        In [0, 1].

    Raises:
        ValueError: Empty input, unequal lengths, or values out of range.

    Source:
        Brier (1950), Monthly Weather Review 78(1), 1-3, in the two-class form.

    Example:
        >>> brier_score([1.0, 0.5], [1, 0])
        0.125
    """
    stated, right = as_judged(probabilities, labels)
    return float(np.mean(np.square(stated - right)))


def brier_decomposition(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, n_bins: int | None = None
) -> BrierParts:
    """Return the Brier score split into reliability, resolution and uncertainty.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.
        n_bins: Bins of equal numbers of items (equal probabilities stay together). None makes one
            bin for each distinct probability: exact, but with all probabilities distinct the
            reliability is then mere noise.

    Returns:
        The parts; they add up to the Brier score for any bins.

    Raises:
        ValueError: Empty input, unequal lengths, values out of range, or n_bins < 1.

    Source:
        Murphy (1973), J. Applied Meteorology 12(4), 595-600; the within-bin terms are those of
        Stephenson, Coelho and Jolliffe (2008), Weather and Forecasting 23(4), 752-757.

    Example:
        >>> parts = brier_decomposition([0.8, 0.8, 0.2, 0.2], [1, 1, 1, 0])
        >>> round(parts.reliability, 4), round(parts.resolution, 4), parts.uncertainty
        (0.065, 0.0625, 0.1875)
    """
    stated, right = as_judged(probabilities, labels)
    bins = equal_mass_bins(stated, n_bins=n_bins)
    counts = np.bincount(bins)
    mean_stated = np.bincount(bins, weights=stated) / counts
    mean_right = np.bincount(bins, weights=right) / counts
    shares = counts / stated.size
    base = float(right.mean())
    around = stated - mean_stated[bins]
    return BrierParts(
        brier=float(np.mean(np.square(stated - right))),
        reliability=float(shares @ np.square(mean_stated - mean_right)),
        resolution=float(shares @ np.square(mean_right - base)),
        uncertainty=base * (1.0 - base),
        within_bin=float(np.mean(np.square(around)) - 2.0 * np.mean(around * right)),
    )


def log_loss(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean negative log probability of what happened, in nats; lower is better.

    Probabilities are clipped at 2^-52 from 0 and 1, which is rounding noise only: a stated 1.0 that
    is wrong costs 36 nats, so one careless certainty is visible in any mean.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.

    Returns:
        At least 0.

    Raises:
        ValueError: Empty input, unequal lengths, or values out of range.

    Source:
        Good (1952), J. Royal Statistical Society B 14(1), 107-114.

    Example:
        >>> round(log_loss([0.5, 0.5], [1, 0]), 4)
        0.6931
    """
    stated, right = as_judged(probabilities, labels)
    happened = np.where(right == 1.0, stated, 1.0 - stated)
    return float(-np.mean(np.log(np.clip(happened, _LOG_LOSS_CLIP, 1.0 - _LOG_LOSS_CLIP))))


def calibration_line(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> CalibrationLine | None:
    """Return slope and intercept of the logistic regression of labels on stated log odds.

    Probabilities of 0 and 1 have no log odds; they are clipped at 2^-52, where they weigh like a
    claim of 36 nats: with such claims the slope says mostly that they were made.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.

    Returns:
        The line, or None with one class only.

    Raises:
        ValueError: Empty input, unequal lengths, or values out of range.

    Source:
        Cox (1958), Biometrika 45(3/4), 562-565; Van Calster et al. (2016), J. Clinical Epidemiology
        74, 167-176.

    Example:
        >>> line = calibration_line([0.8] * 5 + [0.2] * 5, [1, 1, 1, 1, 0, 1, 0, 0, 0, 0])
        >>> round(line.slope, 6)
        1.0
    """
    stated, right = as_judged(probabilities, labels)
    if right.min() == right.max():
        return None
    clipped = np.clip(stated, _LOG_LOSS_CLIP, 1.0 - _LOG_LOSS_CLIP)
    logit = np.log(clipped) - np.log1p(-clipped)
    ones = np.ones_like(logit)
    slope = intercept = None
    if not _separates(logit, right):
        fit = fit_logistic(np.column_stack([logit, ones]), right)
        slope, intercept = float(fit.coefficients[0]), float(fit.coefficients[1])
    return CalibrationLine(slope, intercept, _shift_in_the_large(logit, right))


def _separates(values: FloatArray, right: FloatArray) -> bool:
    """Return whether no finite slope is best: one cut divides the classes, or nothing varies."""
    of_right, of_wrong = values[right == 1.0], values[right == 0.0]
    return bool(of_right.min() >= of_wrong.max() or of_right.max() <= of_wrong.min())


def _shift_in_the_large(logit: FloatArray, right: FloatArray) -> float:
    """Return the b at which sigmoid(logit + b) is right on average, by bisection."""
    target = float(right.mean())
    low, high = -80.0, 80.0  # beyond the reach of two logits of 36 nats each
    # 70 halvings leave an interval below 1e-18.
    for _ in range(70):
        middle = (low + high) / 2.0
        if float(np.mean(1.0 / (1.0 + np.exp(-(logit + middle))))) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
