"""How well scores rank and probabilities predict: AUROC, risk and coverage, Brier, log loss.

Labels are 1 for right, 0 for wrong; a higher score means surer. Ties between scores are resolved by
expectation over a random order of the tied items, so no result depends on the order of the input.
What is undefined (AUROC with one class) is None.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    FloatArray,
    IntArray,
    as_labels,
    as_probabilities,
    as_vector,
    check_same_length,
    equal_mass_bins,
)
from uncertain_llm.stats.logistic import fit_logistic

__all__ = [
    "BrierParts",
    "CalibrationLine",
    "RiskCoverageCurve",
    "augrc",
    "aurc",
    "auroc",
    "brier_decomposition",
    "brier_score",
    "calibration_line",
    "coverage_at_risk",
    "e_aurc",
    "log_loss",
    "risk_coverage_curve",
    "selective_accuracy",
]

_LOG_LOSS_CLIP = 2.0**-52
"""Distance of 1 from the next larger double: a probability nearer to 0 or 1 is rounding noise."""


@dataclass(frozen=True, slots=True)
class RiskCoverageCurve:
    """Errors among the accepted as the threshold falls, one point for each distinct score.

    Made once by `risk_coverage_curve` (one sort), it gives all ranking metrics without another.

    Attributes:
        thresholds: Shape (g,), the distinct scores, descending; accept iff score >= threshold.
        n_accepted: Shape (g,), items with score >= threshold; the last is n.
        n_wrong: Shape (g,), wrong items among them.
    """

    thresholds: FloatArray
    n_accepted: IntArray
    n_wrong: IntArray

    @property
    def coverages(self) -> FloatArray:
        """Share of items accepted at each threshold, shape (g,)."""
        return np.asarray(self.n_accepted / self.n_accepted[-1], dtype=np.float64)

    @property
    def risks(self) -> FloatArray:
        """Share of the accepted that is wrong at each threshold (selective risk), shape (g,)."""
        return np.asarray(self.n_wrong / self.n_accepted, dtype=np.float64)

    def auroc(self) -> float | None:
        """See the function `auroc`."""
        accepted, wrong = self._with_origin()
        right = accepted - wrong
        pairs = float(right[-1]) * float(wrong[-1])
        if pairs == 0.0:
            return None
        # For each tie group: its right items beat the wrong ones below, and half of those in it.
        lost = np.diff(right) @ (wrong[:-1] + wrong[1:]) / 2.0
        return float(1.0 - lost / pairs)

    def aurc(self) -> float:
        """See the function `aurc`."""
        ranks, wrong = self._expected_wrong()
        return float(np.mean(wrong / ranks))

    def e_aurc(self) -> float:
        """See the function `e_aurc`."""
        n, n_wrong = int(self.n_accepted[-1]), int(self.n_wrong[-1])
        ranks = np.arange(n - n_wrong + 1, n + 1)
        best = float(np.sum((ranks - (n - n_wrong)) / ranks)) / n
        # The difference of two means of up to n terms; below zero it is rounding noise only.
        return max(0.0, self.aurc() - best)

    def augrc(self) -> float:
        """See the function `augrc`."""
        accepted, wrong = self._with_origin()
        n = float(accepted[-1])
        return float(np.diff(accepted) @ (wrong[:-1] + wrong[1:]) / 2.0 / n**2)

    def selective_accuracy(self, coverage: float) -> float:
        """See the function `selective_accuracy`."""
        if not 0.0 < coverage <= 1.0:
            raise ValueError(f"coverage must lie in (0, 1], got {coverage}")
        n = int(self.n_accepted[-1])
        # 1e-9: coverage * n may miss a whole number by rounding, as 0.07 * 100 does.
        rank = max(1, int(np.ceil(coverage * n - 1e-9)))
        accepted, wrong = self._with_origin()
        return float(1.0 - np.interp(rank, accepted, wrong) / rank)

    def coverage_at_risk(self, risk: float) -> float:
        """See the function `coverage_at_risk`."""
        if not 0.0 <= risk <= 1.0:
            raise ValueError(f"risk must lie in [0, 1], got {risk}")
        ranks, wrong = self._expected_wrong()
        # 1e-9 items: a risk of exactly 0.1 at 10 items must not be lost to rounding.
        passing = np.flatnonzero(wrong <= risk * ranks + 1e-9)
        return float(ranks[passing[-1]] / ranks[-1]) if passing.size else 0.0

    def _with_origin(self) -> tuple[FloatArray, FloatArray]:
        accepted = np.concatenate([[0.0], self.n_accepted.astype(np.float64)])
        return accepted, np.concatenate([[0.0], self.n_wrong.astype(np.float64)])

    def _expected_wrong(self) -> tuple[FloatArray, FloatArray]:
        """Return the ranks 1..n and the expected number of wrong items up to each."""
        accepted, wrong = self._with_origin()
        ranks = np.arange(1.0, accepted[-1] + 1.0)
        if ranks.size == self.n_accepted.size:
            return ranks, wrong[1:]
        return ranks, np.interp(ranks, accepted, wrong)


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


def risk_coverage_curve(scores: npt.ArrayLike, labels: npt.ArrayLike) -> RiskCoverageCurve:
    """Return how many are accepted, and how many of them wrong, at every distinct score.

    Args:
        scores: Shape (n,), finite, any order, n >= 1. Tied items enter together.
        labels: Shape (n,), 1 = right.

    Returns:
        The curve; its methods are the ranking metrics of this module.

    Raises:
        ValueError: Empty input, unequal lengths, NaN, or a label other than 0 and 1.

    Source:
        El-Yaniv and Wiener (2010), JMLR 11, 1605-1641.

    Example:
        >>> curve = risk_coverage_curve([0.9, 0.5, 0.5, 0.1], [1, 1, 0, 0])
        >>> curve.n_accepted.tolist(), curve.n_wrong.tolist()
        ([1, 3, 4], [0, 1, 2])
    """
    values = as_vector(scores, name="scores")
    right = as_labels(labels)
    check_same_length(values.size, right.size, names="scores and labels")
    if values.size == 0:
        raise ValueError("no items: a curve needs at least one score and its label")
    order = np.argsort(-values)
    ordered = values[order]
    last = np.flatnonzero(np.concatenate([ordered[1:] != ordered[:-1], [True]]))
    wrong = np.cumsum(right[order] == 0.0, dtype=np.int64)
    return RiskCoverageCurve(ordered[last], (last + 1).astype(np.int64), wrong[last])


def auroc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float | None:
    """Return P(a right item scores above a wrong one), ties counting half.

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.

    Returns:
        In [0, 1]; 0.5 is no information, below it the score is inverted. None with one class only.

    Raises:
        ValueError: As in `risk_coverage_curve`.

    Source:
        Mann and Whitney (1947); Hanley and McNeil (1982), Radiology 143(1), 29-36.

    Example:
        >>> auroc([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
        0.875
    """
    return risk_coverage_curve(scores, labels).auroc()


def aurc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean selective risk over all coverages 1/n, 2/n, ..., 1; lower is better.

    It depends on accuracy as well as on ranking: compare at equal accuracy, or use `e_aurc`.

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.

    Returns:
        In [0, 1]; exactly the mean over all orders of tied items.

    Raises:
        ValueError: As in `risk_coverage_curve`.

    Source:
        Geifman, Uziel and El-Yaniv (2019), ICLR, arXiv 1805.08206.

    Example:
        >>> aurc([0.9, 0.8], [1, 0])
        0.25
    """
    return risk_coverage_curve(scores, labels).aurc()


def e_aurc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return AURC less the AURC of a perfect ranking of the same labels; 0 is perfect.

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.

    Returns:
        At least 0; 0 as well when all labels are equal.

    Raises:
        ValueError: As in `risk_coverage_curve`.

    Source:
        Geifman, Uziel and El-Yaniv (2019), ICLR, arXiv 1805.08206, with the exact sum in place of
        the integral r + (1 - r) ln(1 - r), r the error rate.

    Example:
        >>> e_aurc([0.9, 0.8], [1, 0])
        0.0
    """
    return risk_coverage_curve(scores, labels).e_aurc()


def augrc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Return the mean over coverage of P(accepted and wrong); lower is better.

    Unlike AURC it does not weigh the few most confident items most. It equals
    (1 - AUROC) * accuracy * error + error^2 / 2.

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.

    Returns:
        In [0, 0.5].

    Raises:
        ValueError: As in `risk_coverage_curve`.

    Source:
        Traub et al. (2024), NeurIPS, arXiv 2407.01032.

    Example:
        >>> augrc([0.9, 0.8], [1, 0])
        0.125
    """
    return risk_coverage_curve(scores, labels).augrc()


def selective_accuracy(scores: npt.ArrayLike, labels: npt.ArrayLike, *, coverage: float) -> float:
    """Return the share of right items among the surest ceil(coverage * n).

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.
        coverage: In (0, 1].

    Returns:
        In [0, 1]; where the cut falls inside a tie, the mean over random orders of the tied.

    Raises:
        ValueError: Coverage out of range, or as in `risk_coverage_curve`.

    Source:
        El-Yaniv and Wiener (2010), JMLR 11, 1605-1641.

    Example:
        >>> selective_accuracy([0.9, 0.8, 0.1], [1, 0, 0], coverage=0.5)
        0.5
    """
    return risk_coverage_curve(scores, labels).selective_accuracy(coverage)


def coverage_at_risk(scores: npt.ArrayLike, labels: npt.ArrayLike, *, risk: float) -> float:
    """Return the largest coverage at which the error rate of the accepted is at most `risk`.

    A description of these labels, not a promise: chosen like this, the true risk exceeds `risk`
    more often than not. For a promise see `uncertain_llm.stats.selection`.

    Args:
        scores: Shape (n,), finite, any order.
        labels: Shape (n,), 1 = right.
        risk: In [0, 1].

    Returns:
        In [0, 1]; 0 when not even the surest item passes. Inside a tie, the expected number of
        wrong items over random orders counts; a threshold cannot cut there, a random draw can.

    Raises:
        ValueError: Risk out of range, or as in `risk_coverage_curve`.

    Source:
        Geifman and El-Yaniv (2017), NeurIPS, arXiv 1705.08500.

    Example:
        >>> coverage_at_risk([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0], risk=0.34)
        0.75
    """
    return risk_coverage_curve(scores, labels).coverage_at_risk(risk)


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
    stated, right = _paired(probabilities, labels)
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
    stated, right = _paired(probabilities, labels)
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
    stated, right = _paired(probabilities, labels)
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
    stated, right = _paired(probabilities, labels)
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


def _paired(probabilities: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    stated = as_probabilities(probabilities)
    right = as_labels(labels)
    check_same_length(stated.size, right.size, names="probabilities and labels")
    if stated.size == 0:
        raise ValueError("no items: expected at least one probability and its label")
    return stated, right


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
