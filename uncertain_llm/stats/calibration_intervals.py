"""Intervals for calibration errors: what the error would be without the noise of few labels.

Noise alone makes a calibration error positive, and resampling adds as much again, so the quantiles
of resampled errors lie above what they should hold. Here a test is inverted instead. The error is a
norm of residuals (stated less happened) over cells of [0, 1]; the observed residuals are scaled by
a factor from 0 (perfect probabilities) upwards, the noise of the resamples is added, and the
factors under which the observed error is not surprising make the interval.

On simulated probabilities (100, 300, 500 and 1,000 items, true error 0 to 0.18, 100 or 200 draws
each; November 2026) the lower end lay above the true error in at most 6 % of the draws, the upper
end below it in at most 12 %, mostly in less than half of that; a basic bootstrap leaves out a true
error of 0 in 30 to 95 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    FloatArray,
    IntArray,
    as_labels,
    as_probabilities,
    check_same_length,
    check_unit_open,
    equal_mass_bins,
)
from uncertain_llm.stats.calibration_error import (
    debiased_ece,
    debiased_squared_error,
    default_n_bins,
    ece,
    smooth_ece,
    smooth_errors,
)
from uncertain_llm.stats.resampling import resampler

__all__ = [
    "SMOOTH_CELLS",
    "SMOOTH_DRAWS",
    "ErrorInterval",
    "Norm",
    "absolute_sum",
    "debiased_ece_interval",
    "ece_interval",
    "error_ends",
    "smooth_ece_interval",
]

Norm = Callable[[FloatArray], FloatArray]
"""Residuals over cells, shape (b, cells), to errors, shape (b,); a seminorm of each row."""

SMOOTH_CELLS = 128
"""Cells of [0, 1] for the ends of the smooth error: a fifth of a bandwidth of 0.04."""
SMOOTH_DRAWS = 200
"""Resamples for them: their norm is the slow one."""

_HALVINGS = 8
_LARGEST_FACTOR = 3.0  # halved eight times: to a hundredth of the error


@dataclass(frozen=True, slots=True)
class ErrorInterval:
    """A calibration error with an interval for the error without noise.

    Attributes:
        estimate: The error on all items.
        low: Lower end, not below 0; 0 where perfect probabilities may show as large an error.
        high: Upper end, not below the estimate.
        level: What the interval aims to cover.
    """

    estimate: float
    low: float
    high: float
    level: float


def ece_interval(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    n_bins: int | None = None,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
) -> ErrorInterval:
    """Return `ece` with an interval for its value without noise.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.
        rng: Where the resamples come from.
        n_bins: As in `ece`.
        clusters: As in `bootstrap_interval`.
        level: In (0, 1).
        n_resamples: Draws, >= 1.

    Returns:
        The interval.

    Raises:
        ValueError: As in `ece` and `bootstrap_interval`.

    Source:
        As `error_ends`.

    Example:
        >>> import numpy as np
        >>> stated, labels = np.full(50, 0.9), np.arange(50) % 2
        >>> interval = ece_interval(stated, labels, np.random.default_rng(0))
        >>> 0.2 < interval.low < 0.4 < interval.high < 0.6
        True
    """
    stated, right = _paired(probabilities, labels)
    bins = equal_mass_bins(stated, n_bins=n_bins or default_n_bins(stated.size))
    own, drawn = _masses(
        bins, stated - right, _draws(stated.size, rng, clusters, n_resamples), int(bins.max()) + 1
    )
    estimate = ece(stated, right, n_bins=n_bins)
    low, high = error_ends(estimate, own, drawn - own, norm=absolute_sum, level=level)
    return ErrorInterval(estimate, low, high, level)


def smooth_ece_interval(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = SMOOTH_DRAWS,
) -> ErrorInterval:
    """Return `smooth_ece` with an interval for its value without noise.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.
        rng: Where the resamples come from.
        clusters: As in `bootstrap_interval`.
        level: In (0, 1).
        n_resamples: Draws, >= 1.

    Returns:
        The interval; its ends are computed on 128 cells.

    Raises:
        ValueError: As in `smooth_ece` and `bootstrap_interval`.

    Source:
        As `error_ends`.

    Example:
        >>> import numpy as np
        >>> stated, labels = np.full(50, 0.9), np.arange(50) % 2
        >>> interval = smooth_ece_interval(stated, labels, np.random.default_rng(0))
        >>> 0.2 < interval.low < 0.4 < interval.high < 0.6
        True
    """
    stated, right = _paired(probabilities, labels)
    cells = np.minimum((stated * SMOOTH_CELLS).astype(np.int64), SMOOTH_CELLS - 1)
    own, drawn = _masses(
        cells, stated - right, _draws(stated.size, rng, clusters, n_resamples), SMOOTH_CELLS
    )
    estimate = smooth_ece(stated, right)
    low, high = error_ends(estimate, own, drawn - own, norm=smooth_errors, level=level)
    return ErrorInterval(estimate, low, high, level)


def debiased_ece_interval(
    probabilities: npt.ArrayLike,
    labels: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
) -> ErrorInterval:
    """Return `debiased_ece` with an interval: its square is resampled, where 0 is not an edge.

    Args:
        probabilities: Shape (n,), each in [0, 1], n >= 1.
        labels: Shape (n,), 1 = right.
        rng: Where the draws come from.
        clusters: As in `bootstrap_interval`.
        level: In (0, 1).
        n_resamples: Draws, >= 1.

    Returns:
        The interval.

    Raises:
        ValueError: As in `debiased_ece` and `bootstrap_interval`.

    Source:
        Davison and Hinkley (1997), "Bootstrap Methods and their Application"; the
        resamples are shifted to the estimate, because their own noise is not taken off by the
        debiasing.

    Example:
        >>> import numpy as np
        >>> stated, labels = np.full(200, 0.5), np.arange(200) % 2
        >>> interval = debiased_ece_interval(stated, labels, np.random.default_rng(0))
        >>> interval.estimate, 0.02 < interval.high < 0.12
        (0.0, True)
    """
    stated, right = _paired(probabilities, labels)
    check_unit_open(level, name="level")
    drawn = np.array(
        [
            debiased_squared_error(stated[items], right[items])
            for items in _draws(stated.size, rng, clusters, n_resamples)
        ]
    )
    tail = (1.0 - level) / 2.0
    shifted = drawn - drawn.mean() + debiased_squared_error(stated, right)
    low, high = np.sqrt(np.maximum(0.0, np.quantile(shifted, [tail, 1.0 - tail])))
    estimate = debiased_ece(stated, right)
    return ErrorInterval(estimate, min(estimate, float(low)), max(estimate, float(high)), level)


def error_ends(
    estimate: float, own: FloatArray, noise: FloatArray, *, norm: Norm, level: float = 0.95
) -> tuple[float, float]:
    """Return the ends of an interval for a calibration error, by inverting a test.

    A factor f is kept if the observed error lies between the quantiles of norm(f * own + noise).
    The ends are the errors f * norm(own) of the least and the largest factor kept.

    Args:
        estimate: The error to report, about norm(own).
        own: Shape (cells,), residual in each cell on all items.
        noise: Shape (b, cells), b >= 1: residuals of the resamples less `own`.
        norm: From residuals over cells to an error.
        level: In (0, 1).

    Returns:
        Lower and upper end, 0 <= low <= estimate <= high.

    Raises:
        ValueError: No draws, or a level out of range.

    Source:
        Davison and Hinkley (1997), "Bootstrap Methods and their Application" (test
        inversion along a family of distributions); the family is our own.

    Example:
        >>> import numpy as np
        >>> noise = np.array([[0.05], [-0.05]])
        >>> error_ends(0.04, np.array([0.04]), noise, norm=absolute_sum)[0]
        0.0
    """
    check_unit_open(level, name="level")
    if noise.shape[0] == 0:
        raise ValueError("need resamples, got none")
    tail = (1.0 - level) / 2.0
    observed = float(norm(own[None, :])[0])

    def largest_below(quantile: float, factor: float) -> float:
        """Return the largest factor under which this quantile stays below the observed error."""
        low, high = 0.0, factor
        for _ in range(_HALVINGS):
            middle = (low + high) / 2.0
            if float(np.quantile(norm(middle * own + noise), quantile)) < observed:
                low = middle
            else:
                high = middle
        return low

    step = _LARGEST_FACTOR / 2.0**_HALVINGS
    low = largest_below(1.0 - tail, 1.0) * estimate
    high = (largest_below(tail, _LARGEST_FACTOR) + step) * estimate
    return min(estimate, low), max(estimate, high)


def absolute_sum(residuals: FloatArray) -> FloatArray:
    """Return the norm of the binned error: the sum of absolute residuals, shape (b,)."""
    return np.asarray(np.abs(residuals).sum(axis=1))


def _draws(
    n: int, rng: np.random.Generator, clusters: npt.ArrayLike | None, n_resamples: int
) -> list[IntArray]:
    if n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples}")
    draw = resampler(n, rng, clusters=clusters)
    return [draw() for _ in range(n_resamples)]


def _masses(
    cells: IntArray, residuals: FloatArray, draws: list[IntArray], n_cells: int
) -> tuple[FloatArray, FloatArray]:
    """Return the residuals in each cell, on all items and on each draw, for each item."""

    def of(items: IntArray) -> FloatArray:
        return np.bincount(cells[items], weights=residuals[items], minlength=n_cells) / items.size

    return of(np.arange(cells.size)), np.array([of(items) for items in draws])


def _paired(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    stated, right = as_probabilities(probabilities), as_labels(labels)
    check_same_length(stated.size, right.size, names="probabilities and labels")
    if stated.size == 0:
        raise ValueError("no items: expected at least one probability and its label")
    return stated, right
