"""How well scores rank: risk and coverage, AUROC, AURC, AUGRC, selective accuracy.

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
    as_vector,
    check_same_length,
)

__all__ = [
    "RiskCoverageCurve",
    "augrc",
    "aurc",
    "auroc",
    "coverage_at_risk",
    "e_aurc",
    "risk_coverage_curve",
    "selective_accuracy",
]


@dataclass(frozen=True, slots=True)
class RiskCoverageCurve:
    """Errors among the accepted as the threshold falls, one point for each distinct score.

    Made once by `risk_coverage_curve` (one sort), it gives all ranking metrics without another.

    Attributes:
        thresholds: Shape (g,), the distinct scores, descending; accept iff score >= threshold.
        n_accepted: Shape (g,), items with score >= threshold; the last is n.
        n_wrong: Shape (g,), wrong items among them.

    Source:
        Of each figure at the function of its name in this module.

    Example:
        >>> curve = risk_coverage_curve([0.9, 0.8, 0.8, 0.1], [1, 1, 0, 0])
        >>> curve.coverages.tolist(), curve.risks.round(2).tolist()
        ([0.25, 0.75, 1.0], [0.0, 0.33, 0.5])
        >>> curve.selective_accuracy(0.25), curve.coverage_at_risk(0.0)
        (1.0, 0.25)
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
        """Return the function `auroc`: in [0, 1], None when all are right or all wrong."""
        accepted, wrong = self._with_origin()
        right = accepted - wrong
        pairs = float(right[-1]) * float(wrong[-1])
        if pairs == 0.0:
            return None
        # For each tie group: its right items beat the wrong ones below, and half of those in it.
        lost = np.diff(right) @ (wrong[:-1] + wrong[1:]) / 2.0
        return float(1.0 - lost / pairs)

    def aurc(self) -> float:
        """Return the function `aurc`: the mean selective risk over ranks, in [0, 1]."""
        ranks, wrong = self._expected_wrong()
        return float(np.mean(wrong / ranks))

    def e_aurc(self) -> float:
        """Return the function `e_aurc`: `aurc` less that of the best order, in [0, 1]."""
        n, n_wrong = int(self.n_accepted[-1]), int(self.n_wrong[-1])
        ranks = np.arange(n - n_wrong + 1, n + 1)
        best = float(np.sum((ranks - (n - n_wrong)) / ranks)) / n
        # The difference of two means of up to n terms; below zero it is rounding noise only.
        return max(0.0, self.aurc() - best)

    def augrc(self) -> float:
        """Return the function `augrc`: the mean share of wrong and accepted, in [0, 1/2]."""
        accepted, wrong = self._with_origin()
        n = float(accepted[-1])
        return float(np.diff(accepted) @ (wrong[:-1] + wrong[1:]) / 2.0 / n**2)

    def selective_accuracy(self, coverage: float) -> float:
        """Return the function `selective_accuracy`: the share of right items among the surest.

        Args:
            coverage: Share of items that are accepted, in (0, 1].

        Returns:
            In [0, 1].

        Raises:
            ValueError: The coverage is out of range.
        """
        if not 0.0 < coverage <= 1.0:
            raise ValueError(f"coverage must lie in (0, 1], got {coverage}")
        n = int(self.n_accepted[-1])
        # 1e-9: coverage * n may miss a whole number by rounding, as 0.07 * 100 does.
        rank = max(1, int(np.ceil(coverage * n - 1e-9)))
        accepted, wrong = self._with_origin()
        return float(1.0 - np.interp(rank, accepted, wrong) / rank)

    def coverage_at_risk(self, risk: float) -> float:
        """Return the function `coverage_at_risk`: the largest share accepted at that risk.

        Args:
            risk: Tolerated share of wrong items among the accepted, in [0, 1].

        Returns:
            In [0, 1]; 0 when no threshold keeps the risk.

        Raises:
            ValueError: The risk is out of range.
        """
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
