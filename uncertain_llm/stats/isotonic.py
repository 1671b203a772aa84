"""Isotonic calibration: the best non-decreasing map, alone or shrunk towards a smooth curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    FloatArray,
    as_labels,
    as_probabilities,
    as_vector,
    as_weights,
    check_same_length,
)
from uncertain_llm.stats.platt import fit_platt

__all__ = ["DEFAULT_STRENGTH", "Curve", "IsotonicFit", "fit_isotonic", "fit_shrunk_isotonic"]

DEFAULT_STRENGTH = 20.0
"""Labels that the curve counts for in each level of a shrunk fit. Chosen, not tuned: averaged with
the curve (`calibration.choosing`), 5, 10 and 20 made no difference in made-up worlds."""


class Curve(Protocol):
    """Anything that says P(right) at scores, for example a fit of `fit_platt` or `fit_beta`."""

    def predict_mean(self, scores: npt.ArrayLike) -> FloatArray:
        """Return P(right), each in [0, 1], for scores of shape (m,), each in [0, 1]."""
        ...


@dataclass(frozen=True, slots=True)
class IsotonicFit:
    """A non-decreasing, piecewise linear map.

    Attributes:
        scores: Shape (m,), increasing knots.
        values: Shape (m,), non-decreasing, in [0, 1].
        support: Shape (m,), weight of the labels that were pooled into the level of each knot.

    Example:
        >>> fit = fit_isotonic([0.2, 0.4, 0.8], [0, 1, 1])
        >>> fit.predict([0.1, 0.3, 0.9]), fit.support_at([0.9])
        (array([0. , 0.5, 1. ]), array([2.]))
    """

    scores: FloatArray
    values: FloatArray
    support: FloatArray

    def predict(self, scores: npt.ArrayLike) -> FloatArray:
        """Return the map at these scores, linear between knots, constant outside them.

        Args:
            scores: Shape (m,), finite.

        Returns:
            Shape (m,), each in [0, 1].

        Raises:
            ValueError: A score is NaN or infinite.
        """
        return np.asarray(
            np.interp(as_vector(scores, name="scores"), self.scores, self.values), np.float64
        )

    def support_at(self, scores: npt.ArrayLike) -> FloatArray:
        """Return how much weight of labels each value rests on; between knots, the upper one's.

        Args:
            scores: Shape (m,), finite.

        Returns:
            Shape (m,), each > 0.

        Raises:
            ValueError: A score is NaN or infinite.
        """
        places = np.searchsorted(self.scores, as_vector(scores, name="scores"))
        return np.asarray(self.support[np.minimum(places, self.scores.size - 1)], np.float64)


def fit_isotonic(
    scores: npt.ArrayLike, labels: npt.ArrayLike, *, weights: npt.ArrayLike | None = None
) -> IsotonicFit:
    """Return the non-decreasing map with the least squared error on these labels.

    It needs about 1,000 labels: with fewer its ends are 0 and 1 from a handful of items. One class
    only gives a constant.

    Args:
        scores: Shape (n,), finite, any order, n >= 1. Tied scores get one value.
        labels: Shape (n,), each in [0, 1].
        weights: Shape (n,), > 0 in total at each score; None for equal weights.

    Returns:
        The map; only the ends of its level stretches are kept.

    Raises:
        ValueError: Empty input, unequal lengths, values out of range.

    Source:
        Zadrozny and Elkan (2002), KDD; computed by pooling adjacent violators (Ayer et al. 1955).

    Example:
        >>> fit_isotonic([0.1, 0.2, 0.3, 0.4], [0, 1, 0, 1]).predict([0.2, 0.25, 0.4])
        array([0.5, 0.5, 1. ])
    """
    levels, means, totals = _levels(scores, labels, weights)
    return _keep_ends(levels, *_pool(means, totals))


def fit_shrunk_isotonic(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    curve: Curve | None = None,
    strength: float = DEFAULT_STRENGTH,
) -> IsotonicFit:
    """Return isotonic calibration in which every level is pulled towards a smooth curve.

    A level that rests on n labels becomes (n * level + strength * curve) / (n + strength): the
    ends, which rest on few labels, follow the curve; the middle follows the data.

    Args:
        scores: Shape (n,), each in [0, 1], any order, n >= 1.
        labels: Shape (n,), 1 = right.
        curve: What to shrink to; None fits Platt scaling to the same labels.
        strength: How many labels the curve counts for, >= 0; 0 is plain isotonic.

    Returns:
        The map; strictly increasing inside a level wherever the curve is.

    Raises:
        ValueError: Empty input, unequal lengths, values out of range.

    Source:
        Own construction, in the manner of empirical-Bayes shrinkage (Efron and Morris 1973), made
        monotone again by a second pass of pooling.

    Example:
        >>> fit = fit_shrunk_isotonic([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1])
        >>> bool(0.0 < fit.predict([0.2])[0] < fit.predict([0.8])[0] < 1.0)
        True
    """
    if strength < 0.0:
        raise ValueError(f"strength must not be negative, got {strength}")
    right = as_labels(labels)
    levels, means, totals = _levels(as_probabilities(scores, name="scores"), right, None)
    expected = (curve or fit_platt(scores, right)).predict_mean(levels)
    pooled, sizes = _pool(means, totals)
    shrunk = (sizes * pooled + strength * expected) / (sizes + strength)
    values = _pool(shrunk, totals)[0]
    # The second pass joins small levels to large ones: what it joined rests on their mean support.
    stretch = np.cumsum(np.append(False, values[1:] != values[:-1]))
    support = np.bincount(stretch, sizes * totals) / np.bincount(stretch, totals)
    return _keep_ends(levels, values, support[stretch])


def _levels(
    scores: npt.ArrayLike, labels: npt.ArrayLike, weights: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the distinct scores, the mean label at each, and the weight at each."""
    values = as_vector(scores, name="scores")
    targets = as_probabilities(labels, name="labels")
    check_same_length(values.size, targets.size, names="scores and labels")
    if values.size == 0:
        raise ValueError("no items: isotonic calibration needs at least one label")
    levels, positions = np.unique(values, return_inverse=True)
    heavy = as_weights(weights, n=values.size)
    totals = np.bincount(positions.reshape(-1), weights=heavy)
    if totals.min() <= 0.0:
        raise ValueError("each distinct score needs a positive weight")
    sums = np.bincount(positions.reshape(-1), weights=heavy * targets)
    return levels, sums / totals, np.asarray(totals, dtype=np.float64)


def _pool(means: FloatArray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the isotonic values and the weight of the block that each belongs to."""
    from scipy.optimize import isotonic_regression

    pooled = isotonic_regression(means, weights=weights)
    sizes = np.diff(pooled.blocks)
    # A weighted mean of values in [0, 1] can leave it by a rounding.
    values = np.asarray(np.clip(pooled.x, 0.0, 1.0), dtype=np.float64)
    return values, np.asarray(np.repeat(pooled.weights, sizes), dtype=np.float64)


def _keep_ends(levels: FloatArray, values: FloatArray, support: FloatArray) -> IsotonicFit:
    """Drop the knots inside level stretches: they change nothing and cost a search."""
    left = np.concatenate([[True], values[1:] != values[:-1]])
    right = np.concatenate([values[1:] != values[:-1], [True]])
    kept = left | right
    return IsotonicFit(levels[kept], values[kept], support[kept])
