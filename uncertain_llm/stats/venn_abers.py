"""Venn-Abers prediction: two probabilities whose gap says how little is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    FloatArray,
    as_labels,
    as_vector,
    check_same_length,
)

__all__ = ["VennAbersFit", "VennAbersPrediction", "fit_venn_abers"]

_Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class VennAbersPrediction:
    """Venn-Abers probabilities for m scores.

    Attributes:
        low: Shape (m,), p0: the isotonic value if the new item were wrong.
        high: Shape (m,), p1: if it were right; at least p0.
        merged: Shape (m,), p1 / (1 - p0 + p1), the minimax choice for log loss.
    """

    low: FloatArray
    high: FloatArray
    merged: FloatArray


@dataclass(frozen=True, slots=True)
class VennAbersFit:
    """Precomputed isotonic values for a new item at each distinct calibration score.

    Attributes:
        scores: Shape (k,), distinct, increasing.
        if_wrong: Shape (k,), value at the score when a wrong item is added there.
        if_right: Shape (k,), value when a right item is added there.

    Example:
        >>> said = fit_venn_abers([0.2, 0.8], [0, 1]).predict([0.8])
        >>> float(said.low[0]), float(said.high[0])
        (0.5, 1.0)
    """

    scores: FloatArray
    if_wrong: FloatArray
    if_right: FloatArray

    def predict(self, scores: npt.ArrayLike) -> VennAbersPrediction:
        """Return p0, p1 and the merged probability.

        Args:
            scores: Shape (m,), finite. Outside the scores seen, p0 = 0 below and p1 = 1 above.

        Returns:
            Three arrays of shape (m,), each in [0, 1].

        Raises:
            ValueError: A score is NaN or infinite.

        Source:
            As `fit_venn_abers`; merged as p1 / (1 - p0 + p1).
        """
        values = as_vector(scores, name="scores")
        # A right item between two scores pools with the next one above; a wrong one with the next
        # below. Beyond the last there is nothing to pool with.
        above = np.searchsorted(self.scores, values, side="left")
        below = np.searchsorted(self.scores, values, side="right")
        high = np.concatenate([self.if_right, [1.0]])[above]
        low = np.concatenate([[0.0], self.if_wrong])[below]
        return VennAbersPrediction(low, high, high / (1.0 - low + high))


def fit_venn_abers(scores: npt.ArrayLike, labels: npt.ArrayLike) -> VennAbersFit:
    """Return an inductive Venn-Abers predictor, exact, in O(n log n).

    For exchangeable items one of p0 and p1 is perfectly calibrated, whatever the distribution. The
    scores must come from a model that was not fitted on these labels.

    Args:
        scores: Shape (n,), finite, any order, n >= 1. Ties are pooled.
        labels: Shape (n,), 1 = right; one class only is allowed.

    Returns:
        The predictor.

    Raises:
        ValueError: Empty input, unequal lengths, values out of range.

    Source:
        Vovk, Petej and Fedorova (2015), NeurIPS, arXiv 1511.00213; merged as there for log loss.

    Example:
        >>> fit = fit_venn_abers([0.2, 0.4, 0.6, 0.8], [0, 0, 1, 1])
        >>> prediction = fit.predict([0.9])
        >>> round(float(prediction.low[0]), 3), float(prediction.high[0])
        (0.667, 1.0)
    """
    values = as_vector(scores, name="scores")
    right = as_labels(labels)
    check_same_length(values.size, right.size, names="scores and labels")
    if values.size == 0:
        raise ValueError("no items: Venn-Abers needs at least one label")
    levels, positions = np.unique(values, return_inverse=True)
    counts = np.bincount(positions.reshape(-1)).tolist()
    rights = np.bincount(positions.reshape(-1), weights=right).astype(int).tolist()
    wrongs = [count - good for count, good in zip(counts, rights, strict=True)]
    # A wrong item at a score is a right item once scores and labels are both turned round.
    mirrored = _values_if_right(counts[::-1], wrongs[::-1])
    return VennAbersFit(
        levels,
        if_wrong=1.0 - np.array(mirrored[::-1]),
        if_right=np.array(_values_if_right(counts, rights)),
    )


def _values_if_right(counts: list[int], rights: list[int]) -> list[float]:
    """Return, for each level, its isotonic value once a right item is added to it.

    The isotonic value is the slope of the lower convex hull of the cumulative sums. Adding a right
    item at level i shifts all points before it by (-1, -1); going from one level to the next moves
    one point, so the hull is updated, not rebuilt. Whole numbers throughout: no rounding.
    """
    points = _cumulative(counts, rights)
    stack = _lower_hull([(-1, -1), *points])[::-1]  # the leftmost corner is last, on top
    values = []
    for i in range(1, len(points)):
        (x0, y0), (x1, y1) = stack[-1], stack[-2]
        values.append((y1 - y0) / (x1 - x0))
        moved = (points[i][0] - 1, points[i][1] - 1)
        if _cross(stack[-1], stack[-2], moved) >= 0:
            continue
        stack.pop()
        while len(stack) > 1 and _cross(moved, stack[-1], stack[-2]) <= 0:
            stack.pop()
        stack.append(moved)
    return values


def _cumulative(counts: list[int], rights: list[int]) -> list[_Point]:
    points = [(0, 0)]
    for count, right in zip(counts, rights, strict=True):
        points.append((points[-1][0] + count, points[-1][1] + right))
    return points


def _lower_hull(points: list[_Point]) -> list[_Point]:
    hull: list[_Point] = []
    for point in points:
        while len(hull) > 1 and _cross(hull[-2], hull[-1], point) <= 0:
            hull.pop()
        hull.append(point)
    return hull


def _cross(origin: _Point, first: _Point, second: _Point) -> int:
    """Return a positive number when the path origin, first, second turns left (upwards)."""
    return (first[0] - origin[0]) * (second[1] - origin[1]) - (first[1] - origin[1]) * (
        second[0] - origin[0]
    )
