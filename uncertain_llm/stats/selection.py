"""The lowest threshold whose selective risk is certified, and what to compare it with.

Answer iff score >= threshold. The selective risk r(t) is the mean loss of what is answered. A
threshold that merely looks good on the labels breaks the promise on most draws; the functions here
say which promise they make: "certified" (with probability 1 - delta), "average" (in expectation
over draws of the labels), or none ("plug-in").
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    BoolArray,
    FloatArray,
    as_probabilities,
    as_vector,
    check_same_length,
    check_unit_open,
)
from uncertain_llm.stats.bounds import (
    betting_p_value,
    betting_upper_bound,
    binomial_p_values,
    binomial_upper_bound,
)

__all__ = [
    "AverageThreshold",
    "CertifiedThreshold",
    "NotCertified",
    "Start",
    "ThresholdGrid",
    "average_risk_threshold",
    "certify_threshold",
    "certify_threshold_by_split",
    "default_starts",
    "fallback_rejections",
    "plug_in_threshold",
    "sgr_threshold",
    "threshold_grid",
]

_Rule = Callable[[FloatArray, FloatArray], BoolArray]

_POWER_Z = 0.84  # normal quantile of 0.8: `labels_needed` aims at an 80 % chance
_MOST_LABELS = 10_000_000  # above this, "no number of labels will do" is the honest answer
_ALPHA_STEP = 0.005


@dataclass(frozen=True, slots=True)
class ThresholdGrid:
    """Thresholds to test, fixed without looking at any label.

    Attributes:
        thresholds: Shape (m,), decreasing.
        coverages: Shape (m,), share of the reference scores at or above each; increasing.
    """

    thresholds: FloatArray
    coverages: FloatArray


@dataclass(frozen=True, slots=True)
class Start:
    """Where a chain of tests starts, and its share of delta.

    Attributes:
        multiple: The first threshold is expected to accept at least this many times the labels that
            error-free answers would need, ln(1 / delta) / -ln(1 - alpha).
        share: Share of delta that this chain starts with; all shares add up to at most 1.
    """

    multiple: float
    share: float


@dataclass(frozen=True, slots=True)
class CertifiedThreshold:
    """With probability at least 1 - delta over the labels, the selective risk is at most alpha.

    Attributes:
        threshold: Answer iff score >= threshold.
        alpha: The certified risk.
        delta: The allowed chance that the certificate is wrong.
        n_labels: Labels used.
        n_accepted: Labels at or above the threshold.
        total_loss: Sum of their losses (errors, for 0/1 losses).
        risk_bound: Upper bound on the risk at this threshold alone, at level 1 - delta.
        coverage: Share of the reference scores at or above the threshold.
        method: How it was certified.
    """

    threshold: float
    alpha: float
    delta: float
    n_labels: int
    n_accepted: int
    total_loss: float
    risk_bound: float
    coverage: float
    method: str


@dataclass(frozen=True, slots=True)
class NotCertified:
    """No threshold passes with these labels; what would.

    Attributes:
        alpha: The risk that was asked for.
        delta: The allowed failure probability.
        n_labels: Labels used.
        smallest_alpha: The smallest risk, on a grid of 0.005, that these labels would have passed;
            None when that is above 0.5. It was found by looking: to certify it, ask for it on fresh
            labels.
        labels_needed: Labels with which a threshold would pass with a chance of about 80 %, if the
            risks are what these labels show; None when the risk shown is nowhere below alpha, so
            that a better score is needed and not more labels.
    """

    alpha: float
    delta: float
    n_labels: int
    smallest_alpha: float | None
    labels_needed: int | None


@dataclass(frozen=True, slots=True)
class AverageThreshold:
    """The selective risk is about alpha on average over draws of the labels; nothing is certified.

    Attributes:
        threshold: Answer iff score >= threshold.
        alpha: The aimed mean risk.
        n_labels: Labels used.
        n_accepted: Labels at or above the threshold.
        total_loss: Sum of their losses.
    """

    threshold: float
    alpha: float
    n_labels: int
    n_accepted: int
    total_loss: float


def threshold_grid(reference_scores: npt.ArrayLike, *, max_thresholds: int = 50) -> ThresholdGrid:
    """Return thresholds at scores of reference traffic, a step of coverage apart.

    Args:
        reference_scores: Shape (u,), finite, u >= 1: unlabelled traffic, or labelled items that the
            certificate will not use. Never the certifying labels themselves.
        max_thresholds: At most this many. With no more distinct scores than that, each is one;
            else they are at least 1 / max_thresholds of coverage apart. Ties stay together.

    Returns:
        The grid; its last threshold accepts all of the reference.

    Raises:
        ValueError: No scores, a score that is not finite, or max_thresholds < 1.

    Source:
        Angelopoulos et al. (2021), "Learn then Test", arXiv 2110.01052 (a grid fixed in advance).

    Example:
        >>> grid = threshold_grid([0.9, 0.9, 0.5, 0.1])
        >>> grid.thresholds.tolist(), grid.coverages.tolist()
        ([0.9, 0.5, 0.1], [0.5, 0.75, 1.0])
    """
    scores = as_vector(reference_scores, name="reference_scores")
    if scores.size == 0 or max_thresholds < 1:
        raise ValueError(f"need scores and thresholds, got {scores.size} and {max_thresholds}")
    levels, counts = np.unique(scores, return_counts=True)
    thresholds, coverages = levels[::-1], np.cumsum(counts[::-1]) / scores.size
    if thresholds.size > max_thresholds:
        goals = np.arange(1, max_thresholds + 1) / max_thresholds
        # 1e-9: a coverage may miss its goal by rounding.
        picked = np.unique(np.searchsorted(coverages, goals - 1e-9))
        thresholds, coverages = thresholds[picked], coverages[picked]
    return ThresholdGrid(thresholds, np.asarray(coverages, dtype=np.float64))


def default_starts(n_labels: int, *, alpha: float, delta: float) -> tuple[Start, ...]:
    """Return where to start the tests: one chain for few labels, a second as insurance for more.

    The second chain starts at more answers, where an inversion (the surest answers are not the
    safest) has been diluted. "Few" is measured in the labels that error-free answers would need.
    The numbers are the best of nine designs on recorded and synthetic sets (November 2026), but
    differ little: what limits the coverage is the exact test, not the starts.

    Args:
        n_labels: Certifying labels.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).

    Returns:
        The chains; their shares add up to 1.

    Example:
        >>> [start.multiple for start in default_starts(200, alpha=0.1, delta=0.1)]
        [2.0]
        >>> [start.multiple for start in default_starts(1000, alpha=0.1, delta=0.1)]
        [3.0, 8.0]
    """
    labels_in_least = n_labels / _least_accepted(alpha=alpha, delta=delta)
    if labels_in_least < 15.0:
        return (Start(2.0, 1.0),)
    if labels_in_least < 40.0:
        return (Start(2.0, 0.8), Start(6.0, 0.2))
    return (Start(3.0, 0.7), Start(8.0, 0.3))


def certify_threshold(
    scores: npt.ArrayLike,
    losses: npt.ArrayLike,
    *,
    grid: ThresholdGrid,
    alpha: float,
    delta: float,
    starts: Sequence[Start] | None = None,
) -> CertifiedThreshold | NotCertified:
    """Return the lowest threshold with P(selective risk > alpha) <= delta, if there is one.

    Thresholds are tested from the strictest down. Each test is exact given how many labels it
    accepts (binomial for 0/1 losses, betting for losses between); the tests share delta by
    `fallback_rejections`, which never spends more than delta on true nulls. So the lowest rejected
    threshold is safe with probability 1 - delta, whatever the shape of the risk: it need not rise
    as the threshold falls.

    Proof: given the number k of labels with a score >= t, these labels are k independent draws from
    "score >= t", because t was fixed without them; their losses have mean r(t), so the p-value of
    "r(t) > alpha" is valid. By the proof in `fallback_rejections` no true null is rejected with
    probability 1 - delta, and then every rejected threshold, the lowest too, has r(t) <= alpha.

    What breaks it: a score fitted on these labels, a grid taken from them, labels that were picked
    by the policy, other traffic, any change of the pipeline afterwards.

    Args:
        scores: Shape (n,), finite; labelled items drawn like the traffic, scored by a frozen
            pipeline. In an order that does not depend on the losses (matters for losses between 0
            and 1 only).
        losses: Shape (n,), each in [0, 1]; 1 = wrong.
        grid: From `threshold_grid`, on other items.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).
        starts: Chains of tests; None for `default_starts`.

    Returns:
        The threshold, or what it would take.

    Raises:
        ValueError: Unequal lengths, values out of range, or shares of delta above 1 in total.

    Source:
        Angelopoulos et al. (2021), arXiv 2110.01052, section on fixed-sequence testing; Wiens
        (2003), Pharmaceutical Statistics 2, 211-215 (fallback).

    Example:
        >>> import numpy as np
        >>> rng = np.random.default_rng(0)
        >>> scores = rng.random(2000)
        >>> losses = rng.random(2000) < 0.4 * (1 - scores)
        >>> grid = threshold_grid(scores[:1000])
        >>> result = certify_threshold(
        ...     scores[1000:], losses[1000:], grid=grid, alpha=0.1, delta=0.1
        ... )
        >>> isinstance(result, CertifiedThreshold), result.risk_bound <= 0.1
        (True, True)
    """
    items = _Items.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    chains = default_starts(items.n, alpha=alpha, delta=delta) if starts is None else starts
    rejected = _rejected(items, grid, alpha=alpha, delta=delta, starts=chains)
    if not rejected.any():
        return NotCertified(
            alpha,
            delta,
            items.n,
            _smallest_alpha(items, grid, alpha=alpha, delta=delta, starts=chains),
            _labels_needed(items, grid, alpha=alpha, delta=delta),
        )
    lowest = int(np.flatnonzero(rejected)[-1])
    threshold = float(grid.thresholds[lowest])
    inside = items.losses[items.scores >= threshold]
    return CertifiedThreshold(
        threshold=threshold,
        alpha=alpha,
        delta=delta,
        n_labels=items.n,
        n_accepted=inside.size,
        total_loss=float(inside.sum()),
        risk_bound=_risk_bound(inside, delta=delta, is_binary=items.is_binary),
        coverage=float(grid.coverages[lowest]),
        method="fallback, " + ("binomial" if items.is_binary else "betting"),
    )


def certify_threshold_by_split(
    scores: npt.ArrayLike,
    losses: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    alpha: float,
    delta: float,
    share: float = 0.2,
) -> CertifiedThreshold | NotCertified:
    """Return `certify_threshold` where there is no other traffic: some labels only set the grid.

    Args:
        scores: Shape (n,), n >= 2.
        losses: Shape (n,), each in [0, 1].
        rng: Draws the split; it also shuffles, so the order of the input does not matter.
        alpha: Tolerated selective risk, in (0, 1).
        delta: Allowed failure probability, in (0, 1).
        share: Share of the items that set the grid and are not used as labels, in (0, 1).

    Returns:
        As `certify_threshold`; `n_labels` counts the certifying part only.

    Raises:
        ValueError: As `certify_threshold`, or fewer than 2 items.

    Source:
        As `certify_threshold`.

    Example:
        >>> import numpy as np
        >>> result = certify_threshold_by_split(
        ...     [0.5] * 100, [0] * 100, np.random.default_rng(0), alpha=0.1, delta=0.1
        ... )
        >>> result.threshold, result.n_labels
        (0.5, 80)
    """
    items = _Items.checked(scores, losses)
    check_unit_open(share, name="share")
    if items.n < 2:
        raise ValueError(f"a split needs at least 2 items, got {items.n}")
    order = rng.permutation(items.n)
    cut = min(max(1, round(share * items.n)), items.n - 1)
    grid = threshold_grid(items.scores[order[:cut]])
    rest = order[cut:]
    return certify_threshold(
        items.scores[rest], items.losses[rest], grid=grid, alpha=alpha, delta=delta
    )


def fallback_rejections(
    p_values: npt.ArrayLike, shares: npt.ArrayLike, *, delta: float
) -> BoolArray:
    """Return which of the hypotheses, in this fixed order, are rejected by the fallback procedure.

    Each hypothesis is tested at its own share of delta plus what the unbroken run of rejections
    just before it hands on; a failed test loses what it was given. All of delta on the first is
    fixed-sequence testing, equal shares are a Bonferroni test that recycles.

    Proof that P(any true null rejected) <= delta: let i be the first true null that is rejected,
    and h the true null before it in the order (or the start). h was not rejected, so what reaches i
    comes from positions after h: its level is at most delta times the shares in (h, i]. These
    stretches are disjoint for different i and do not depend on the data, so the union bound gives
    delta times the sum of all shares. No assumption on the dependence of the p-values.

    Args:
        p_values: Shape (m,), each in [0, 1], valid for its null hypothesis.
        shares: Shape (m,), >= 0, adding up to at most 1; fixed without looking at the p-values.
        delta: In (0, 1).

    Returns:
        Shape (m,) of booleans.

    Raises:
        ValueError: Unequal lengths, or values out of range.

    Source:
        Wiens (2003), Pharmaceutical Statistics 2, 211-215; Wiens and Dmitrienko (2005), J.
        Biopharmaceutical Statistics 15, 929-942.

    Example:
        >>> fallback_rejections([0.01, 0.2, 0.01], [0.5, 0.0, 0.5], delta=0.1).tolist()
        [True, False, True]
    """
    values = as_probabilities(p_values, name="p_values")
    given = as_probabilities(shares, name="shares")
    check_same_length(values.size, given.size, names="p_values and shares")
    check_unit_open(delta, name="delta")
    # 1e-9: shares such as 0.7 + 0.3 may add up to a rounding above 1.
    if given.sum() > 1.0 + 1e-9:
        raise ValueError(f"shares of delta must add up to at most 1, got {given.sum()}")
    rejected = np.zeros(values.size, dtype=np.bool_)
    handed_on = 0.0
    for i, value in enumerate(values):
        level = handed_on + given[i]
        rejected[i] = level > 0.0 and value <= min(1.0, level) * delta
        handed_on = level if rejected[i] else 0.0
    return rejected


def plug_in_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float
) -> float | None:
    """Return the lowest threshold at which the mean loss of these items is at most alpha.

    On a whole population this is the oracle. On labels it promises nothing: the true risk exceeds
    alpha on most draws.

    Args:
        scores: Shape (n,), finite. Ties stay together.
        losses: Shape (n,), each in [0, 1].
        alpha: In (0, 1).

    Returns:
        The threshold; None when there is none, or no item.

    Raises:
        ValueError: Unequal lengths or values out of range.

    Source:
        El-Yaniv and Wiener (2010), JMLR 11, 1605-1641.

    Example:
        >>> plug_in_threshold([0.9, 0.8, 0.7, 0.6], [0, 0, 1, 1], alpha=0.4)
        0.7
    """
    items = _Items.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    return items.lowest(lambda count, loss: loss <= alpha * count + 1e-9)


def average_risk_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float
) -> AverageThreshold | None:
    """Return the lowest threshold with (sum of losses + 1) <= alpha * (accepted + 1).

    Averaged over draws of the labels, the selective risk is about alpha; on a given draw it is
    above alpha about half of the time. The plus one stands for the next item at its worst. Exact
    when the excess sum of (loss - alpha) over the accepted crosses its limit once; near otherwise.

    Args:
        scores: Shape (n,), finite. Ties stay together.
        losses: Shape (n,), each in [0, 1].
        alpha: In (0, 1).

    Returns:
        The threshold; None when there is none.

    Raises:
        ValueError: Unequal lengths or values out of range.

    Source:
        Angelopoulos et al. (2022), "Conformal risk control", arXiv 2208.02814; for selective risk
        LEC, arXiv 2512.01556.

    Example:
        >>> average_risk_threshold([0.9] * 20, [0] * 20, alpha=0.1).threshold
        0.9
    """
    items = _Items.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    threshold = items.lowest(lambda count, loss: loss + 1.0 <= alpha * (count + 1.0) + 1e-9)
    if threshold is None:
        return None
    inside = items.losses[items.scores >= threshold]
    return AverageThreshold(threshold, alpha, items.n, inside.size, float(inside.sum()))


def sgr_threshold(
    scores: npt.ArrayLike, losses: npt.ArrayLike, *, alpha: float, delta: float
) -> CertifiedThreshold | NotCertified:
    """Return the threshold of Selective Guaranteed Risk: a binary search with a union bound.

    For comparison: valid, needs no other traffic, and certifies less than `certify_threshold`.

    Args:
        scores: Shape (n,), finite.
        losses: Shape (n,), each 0 or 1.
        alpha: In (0, 1).
        delta: In (0, 1).

    Returns:
        As `certify_threshold`; coverage is that of the labels.

    Raises:
        ValueError: Unequal lengths, values out of range, or losses other than 0 and 1.

    Source:
        Geifman and El-Yaniv (2017), NeurIPS, arXiv 1705.08500, algorithm 2.

    Example:
        >>> sgr_threshold([0.5] * 100, [0] * 100, alpha=0.1, delta=0.1).threshold
        0.5
    """
    items = _Items.checked(scores, losses)
    check_unit_open(alpha, name="alpha")
    check_unit_open(delta, name="delta")
    if not items.is_binary:
        raise ValueError("SGR is defined for losses of 0 and 1")
    steps = max(1, math.ceil(math.log2(max(2, items.n))))
    ordered = np.sort(items.scores)
    best: CertifiedThreshold | None = None
    low, high = 0, items.n - 1
    for _ in range(steps if items.n else 0):
        middle = (low + high) // 2
        inside = items.losses[items.scores >= ordered[middle]]
        bound = _risk_bound(inside, delta=delta / steps, is_binary=True)
        if bound > alpha:
            low = middle
            continue
        high = middle
        best = CertifiedThreshold(
            threshold=float(ordered[middle]),
            alpha=alpha,
            delta=delta,
            n_labels=items.n,
            n_accepted=inside.size,
            total_loss=float(inside.sum()),
            risk_bound=bound,
            coverage=inside.size / items.n,
            method="sgr",
        )
    return best or NotCertified(alpha, delta, items.n, None, None)


@dataclass(frozen=True, slots=True)
class _Items:
    """Labelled items."""

    scores: FloatArray
    losses: FloatArray
    is_binary: bool

    @classmethod
    def checked(cls, scores: npt.ArrayLike, losses: npt.ArrayLike) -> _Items:
        values = as_vector(scores, name="scores")
        lost = as_probabilities(losses, name="losses")
        check_same_length(values.size, lost.size, names="scores and losses")
        return cls(values, lost, bool(np.all((lost == 0.0) | (lost == 1.0))))

    @property
    def n(self) -> int:
        return int(self.scores.size)

    def totals(self, thresholds: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return how many items each threshold accepts, and the sum of their losses."""
        order = np.argsort(self.scores)
        first = np.searchsorted(self.scores[order], thresholds, side="left")
        lost = np.concatenate([[0.0], np.cumsum(self.losses[order])])
        return (self.n - first).astype(np.float64), lost[-1] - lost[first]

    def lowest(self, passes: _Rule) -> float | None:
        """Return the lowest of the items' own scores that passes as a threshold."""
        thresholds = np.unique(self.scores)
        counts, lost = self.totals(thresholds)
        passing = np.flatnonzero(passes(counts, lost))
        return float(thresholds[passing[0]]) if passing.size else None


def _rejected(
    items: _Items, grid: ThresholdGrid, *, alpha: float, delta: float, starts: Sequence[Start]
) -> BoolArray:
    shares = _shares(items.n, grid, alpha=alpha, delta=delta, starts=starts)
    p_values = _p_values(items, grid.thresholds, alpha=alpha, delta=delta)
    return fallback_rejections(p_values, shares, delta=delta)


def _shares(
    n_labels: int, grid: ThresholdGrid, *, alpha: float, delta: float, starts: Sequence[Start]
) -> FloatArray:
    """Return the share of delta that each threshold starts with."""
    shares = np.zeros(grid.thresholds.size)
    least = _least_accepted(alpha=alpha, delta=delta)
    for start in starts:
        first = int(np.searchsorted(n_labels * grid.coverages, start.multiple * least))
        # With too few labels for any start, the one test left is that of answering everything.
        shares[min(first, shares.size - 1)] += start.share
    return shares


def _least_accepted(*, alpha: float, delta: float) -> float:
    """Return how many error-free labels certify alpha, as a real number."""
    return -math.log(delta) / -math.log1p(-alpha)


def _p_values(items: _Items, thresholds: FloatArray, *, alpha: float, delta: float) -> FloatArray:
    if items.is_binary:
        counts, wrong = items.totals(thresholds)
        return binomial_p_values(np.rint(wrong), counts, rate=alpha)
    return np.array(
        [
            betting_p_value(items.losses[items.scores >= threshold], rate=alpha, delta=delta)
            for threshold in thresholds
        ]
    )


def _risk_bound(losses: FloatArray, *, delta: float, is_binary: bool) -> float:
    if is_binary:
        return binomial_upper_bound(round(float(losses.sum())), losses.size, delta=delta)
    return betting_upper_bound(losses, delta=delta)


def _smallest_alpha(
    items: _Items, grid: ThresholdGrid, *, alpha: float, delta: float, starts: Sequence[Start]
) -> float | None:
    for step in range(math.floor(alpha / _ALPHA_STEP) + 1, round(0.5 / _ALPHA_STEP) + 1):
        candidate = round(step * _ALPHA_STEP, 6)
        shares = _shares(items.n, grid, alpha=candidate, delta=delta, starts=starts)
        # The first rejection of a chain is at its start, on its own share: the rest can wait.
        at = np.flatnonzero(shares)
        p_values = _p_values(items, grid.thresholds[at], alpha=candidate, delta=delta)
        if np.any(p_values <= np.minimum(shares[at], 1.0) * delta):
            return candidate
    return None


def _labels_needed(items: _Items, grid: ThresholdGrid, *, alpha: float, delta: float) -> int | None:
    """Return the fewest labels with which some threshold would pass at the risks shown here."""
    counts, lost = items.totals(grid.thresholds)
    risks = (lost + 0.5) / (counts + 1.0)  # half a loss more: no error in few labels is not 0
    needed = [
        math.ceil(accepted / coverage)
        for risk, coverage in zip(risks, grid.coverages, strict=True)
        if risk < alpha
        and (accepted := _accepted_needed(float(risk), alpha=alpha, delta=delta)) is not None
    ]
    return min(needed, default=None)


def _accepted_needed(risk: float, *, alpha: float, delta: float) -> int | None:
    """Return how many accepted labels pass with a chance of about 80 % at this risk."""

    def passes(accepted: int) -> bool:
        spread = math.sqrt(accepted * risk * (1.0 - risk))
        wrong = min(accepted, math.ceil(accepted * risk + _POWER_Z * spread))
        return bool(binomial_p_values([wrong], [accepted], rate=alpha)[0] <= delta)

    high = 1
    while not passes(high):
        high *= 2
        if high > _MOST_LABELS:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle, high)
    return high
