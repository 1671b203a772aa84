"""Stated intervals of numbers: how often they hold the truth, and by how much to widen them.

A model states quantiles of a number. Several samples are pooled into one distribution (the mean of
their distribution functions), and the interval at each level is widened by one amount that is
fitted on labelled questions, so that it holds the truth as often as it says (conformal
prediction). All on the log scale where the numbers are positive: widening is then by a factor.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import Literal

import numpy as np

from uncertain_llm.core.base import Value
from uncertain_llm.evaluation.dataset import BadLine, read_lines
from uncertain_llm.evaluation.figures import Figure, draw_counts, korn_graubard_interval
from uncertain_llm.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = [
    "INTERVAL_TASK",
    "LEVELS",
    "IntervalLevel",
    "IntervalReport",
    "IntervalRow",
    "Quantiles",
    "Scale",
    "Widening",
    "evaluate_intervals",
    "fit_widening",
    "interval_at",
    "pooled_quantiles",
    "read_interval_rows",
    "winkler_scores",
]

INTERVAL_TASK = "interval"
"""The task of recorded rows that ask for a number and its quantiles."""
LEVELS = (0.5, 0.8, 0.9, 0.95, 0.99)
Scale = Literal["log", "linear"]

_KEY = re.compile(r"q(\d{1,2}(?:\.\d+)?)")
_N_FOLDS = 10
_FLOOR = 1e-3
"""On the log scale a stated quantile at or below 0 counts as this share of the median. Chosen."""
_LEAST_QUESTIONS = 10  # below this a bootstrap interval is not shown, as in `figures`
_GRID = np.array([NormalDist().inv_cdf(0.5 + s * level / 2) for level in LEVELS for s in (-1, 1)])
_PROBABILITIES = np.sort([0.5, *(NormalDist().cdf(z) for z in _GRID)])


@dataclass(frozen=True)
class Quantiles:
    """A distribution as quantiles on some scale: shape (q,), both ascending, q >= 2."""

    z: FloatArray
    """The normal quantile of each probability: between them values are taken as linear in it."""
    values: FloatArray

    def value_at(self, z: FloatArray) -> FloatArray:
        """Return the values at normal quantiles; the outer pieces are continued as lines."""
        return _line_through(self.z, self.values, z)

    def z_of(self, values: FloatArray) -> FloatArray:
        """Return the normal quantile of values; where the distribution jumps, its upper end."""
        return _line_through(self.values, self.z, values)


@dataclass(frozen=True)
class IntervalRow:
    """One number that was asked for, what was stated, and the truth."""

    question: str
    """Rows of one question are not independent."""
    system: str
    """Dataset and model: what a widening is fitted for."""
    stated: tuple[Mapping[float, float], ...]
    """Of each sample that states quantiles: probability to value. May be empty."""
    truth: float


class Widening(Value):
    """By how much to move both ends of an interval outwards, at one level."""

    level: float
    amount: float
    """On the scale; below 0 the intervals were too wide. On the log scale a factor exp(amount)."""
    scale: Scale
    n_labels: int

    def widen(self, low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the ends, moved. An interval that would turn inside out becomes its middle.

        Args:
            low: Shape (n,), lower ends on the scale.
            high: Shape (n,), upper ends on the scale.
        """
        middle = (low + high) / 2.0
        return np.minimum(low - self.amount, middle), np.maximum(high + self.amount, middle)


class IntervalLevel(Value):
    """How intervals at one level did: as stated, pooled over samples, and widened.

    Coverage counts rows without an interval as not holding the truth. The Winkler score is width
    plus a penalty for each miss, on the scale of the report; lower is better.
    """

    level: float
    coverage: Figure
    coverage_pooled: Figure
    coverage_widened: Figure
    winkler: Figure
    winkler_pooled: Figure
    winkler_widened: Figure
    winkler_gain: Figure
    """1 - widened / stated on the rows that have both: above 0 is better."""


class IntervalReport(Value):
    """How often stated intervals hold the truth."""

    n: int
    n_questions: int
    n_without_interval: int
    scale: Scale
    levels: tuple[IntervalLevel, ...]
    by_system: dict[str, tuple[IntervalLevel, ...]]


def read_interval_rows(paths: Iterable[Path]) -> Iterator[IntervalRow | BadLine]:
    """Yield the rows of recordings whose `reference` is a number and whose task is `interval`.

    The samples' `quantiles` map "q5", "q25", ... to numbers. Other rows are passed over.
    """
    for found in read_lines(paths):
        if isinstance(found, BadLine):
            yield found
            continue
        truth = found.get("reference")
        if found.get("task") == INTERVAL_TASK and _is_number(truth):
            samples = found["samples"]
            stated = [_stated(sample) for sample in samples] if isinstance(samples, list) else []
            yield IntervalRow(
                question=str(found.get("question") or found["id"]),
                system=f"{found['dataset']} / {found['model']}",
                stated=tuple(quantiles for quantiles in stated if len(quantiles) > 1),
                truth=float(str(truth)),
            )


def interval_at(quantiles: Quantiles, level: float) -> tuple[float, float]:
    """Return the central interval of a distribution at a level.

    Between stated quantiles values are linear in the normal quantile; beyond the outermost ones
    the last piece is continued, as for a normal distribution of its spread.

    Args:
        quantiles: What was stated.
        level: In (0, 1).

    Example:
        >>> import numpy as np
        >>> stated = Quantiles(np.array([-1.6449, 0.0, 1.6449]), np.array([10.0, 12.0, 16.0]))
        >>> [round(end, 2) for end in interval_at(stated, 0.9)]
        [10.0, 16.0]
    """
    z = NormalDist().inv_cdf(0.5 + level / 2.0)
    low, high = quantiles.value_at(np.array([-z, z]))
    return float(low), float(high)


def pooled_quantiles(stated: Sequence[Quantiles]) -> Quantiles:
    """Return the distribution whose distribution function is the mean of several ones.

    Samples that disagree make it wider, as they should.

    Args:
        stated: At least one.

    Source:
        Stone (1961), Annals of Mathematical Statistics 32(4), 1339-1342: the linear opinion pool.
    """
    if len(stated) == 1:
        return stated[0]
    normal = NormalDist()
    z = np.array([normal.inv_cdf(p) for p in _PROBABILITIES])
    ends = np.array([one.value_at(z) for one in stated])
    low, high = ends.min(axis=0), ends.max(axis=0)
    # The pooled quantile lies between the least and the greatest of the samples' quantiles.
    for _ in range(40):
        middle = (low + high) / 2.0
        below = np.mean([_cdf(one.z_of(middle)) for one in stated], axis=0) < _PROBABILITIES
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return Quantiles(z, np.maximum.accumulate((low + high) / 2.0))


def winkler_scores(
    low: FloatArray, high: FloatArray, truth: FloatArray, *, level: float
) -> FloatArray:
    """Return the interval score of each interval: width, plus 2/(1-level) times what was missed.

    Args:
        low: Shape (n,), lower ends.
        high: Shape (n,), upper ends.
        truth: Shape (n,).
        level: In (0, 1), what the intervals claim to hold.

    Source:
        Winkler (1972), JASA 67, 187-191; Gneiting and Raftery (2007), JASA 102, section 6.2.

    Example:
        >>> import numpy as np
        >>> winkler_scores(np.array([0.0]), np.array([1.0]), np.array([1.5]), level=0.5)
        array([3.])
    """
    missed = np.maximum(low - truth, 0.0) + np.maximum(truth - high, 0.0)
    return np.asarray(high - low + 2.0 / (1.0 - level) * missed)


def fit_widening(
    low: FloatArray, high: FloatArray, truth: FloatArray, *, level: float, scale: Scale
) -> Widening | None:
    """Return by how much to widen intervals so that they hold the truth as often as they say.

    For questions exchangeable with the fitted ones the widened interval holds the truth with
    probability at least `level`, whatever the distribution, and at most level + 1/(n+1) without
    ties.

    Args:
        low: Shape (n,), lower ends on the scale.
        high: Shape (n,), upper ends on the scale.
        truth: Shape (n,), on the scale.
        level: In (0, 1).
        scale: Recorded in the result.

    Returns:
        The widening; None when n < level / (1 - level): no finite interval has the guarantee.

    Source:
        Romano, Patterson and Candes (2019), NeurIPS, "Conformalized quantile regression",
        equation 6.

    Example:
        >>> import numpy as np
        >>> truth = np.arange(9.0)
        >>> fit_widening(np.zeros(9), np.zeros(9), truth, level=0.9, scale="linear").amount
        8.0
        >>> fit_widening(np.zeros(9), np.zeros(9), truth, level=0.99, scale="linear") is None
        True
    """
    n = truth.size
    rank = int(np.ceil((n + 1) * level - 1e-9))
    if rank > n:
        return None
    distance = np.sort(np.maximum(low - truth, truth - high))
    return Widening(level=level, amount=float(distance[rank - 1]), scale=scale, n_labels=n)


def evaluate_intervals(
    rows: Sequence[IntervalRow], *, n_resamples: int = 1000, seed: int = 0
) -> IntervalReport | None:
    """Return how stated intervals did, and how they do when widened on other questions.

    The widening of a question is fitted on the questions of the other folds of its system.

    Args:
        rows: What was stated.
        n_resamples: Of questions, behind the 95 % intervals.
        seed: Of folds and resamples.

    Returns:
        The report; None when no row states quantiles.
    """
    if not any(row.stated for row in rows):
        return None
    positive = all(row.truth > 0 and all(_middle(s) > 0 for s in row.stated) for row in rows)
    scale: Scale = "log" if positive else "linear"
    table = _Table.of(rows, scale)
    systems = sorted(set(table.systems.tolist()))
    outcomes = {level: _outcomes(table, level, seed) for level in LEVELS}
    everything = np.ones(len(rows), dtype=np.bool_)

    def levels(which: BoolArray) -> tuple[IntervalLevel, ...]:
        return tuple(
            _level_report(outcomes[level], table.questions, which, (level, n_resamples, seed))
            for level in LEVELS
        )

    return IntervalReport(
        n=len(rows),
        n_questions=int(np.unique(table.questions).size),
        n_without_interval=sum(not row.stated for row in rows),
        scale=scale,
        levels=levels(everything),
        by_system={name: levels(np.asarray(table.systems == name)) for name in systems},
    )


@dataclass(frozen=True)
class _Table:
    """Rows on their scale; NaN where nothing was stated."""

    scale: Scale
    truth: FloatArray
    stated: tuple[Quantiles | None, ...]
    pooled: tuple[Quantiles | None, ...]
    systems: np.ndarray[tuple[int], np.dtype[np.str_]]
    questions: IntArray

    @classmethod
    def of(cls, rows: Sequence[IntervalRow], scale: Scale) -> _Table:
        truth = np.array([row.truth for row in rows], dtype=np.float64)
        read = [[_on_scale(stated, scale) for stated in row.stated] for row in rows]
        names = np.array([row.question for row in rows])
        return cls(
            scale=scale,
            truth=np.log(truth) if scale == "log" else truth,
            stated=tuple(samples[0] if samples else None for samples in read),
            pooled=tuple(pooled_quantiles(samples) if samples else None for samples in read),
            systems=np.array([row.system for row in rows]),
            questions=np.unique(names, return_inverse=True)[1].reshape(-1).astype(np.int64),
        )


@dataclass(frozen=True)
class _Outcome:
    """Of one way to make intervals at one level: NaN where there is no interval."""

    holds: FloatArray
    score: FloatArray
    needed: int | None = None
    """Labels that would do, where there were too few to widen."""


def _outcomes(table: _Table, level: float, seed: int) -> dict[str, _Outcome]:
    stated = _ends_of(table.stated, level)
    pooled = _ends_of(table.pooled, level)
    low, high = np.full(table.truth.size, np.nan), np.full(table.truth.size, np.nan)
    needed = None
    for system in np.unique(table.systems):
        members = np.flatnonzero((table.systems == system) & ~np.isnan(pooled[0]))
        for fit_on, apply_to in _folds(members, table.questions, seed):
            ends = pooled[0][fit_on], pooled[1][fit_on]
            found = fit_widening(*ends, table.truth[fit_on], level=level, scale=table.scale)
            if found is None:
                needed = int(np.ceil(level / (1.0 - level) - 1e-9))
                continue
            low[apply_to], high[apply_to] = found.widen(pooled[0][apply_to], pooled[1][apply_to])
    return {
        "stated": _outcome(*stated, table.truth, level),
        "pooled": _outcome(*pooled, table.truth, level),
        "widened": _outcome(low, high, table.truth, level, needed=needed),
    }


def _folds(
    members: IntArray,
    questions: IntArray,
    seed: int,
) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield (fit on, apply to); all rows of a question are in the same fold."""
    names = np.random.default_rng(seed).permutation(np.unique(questions[members]))
    for fold in np.array_split(names, min(_N_FOLDS, max(names.size, 1))):
        inside = np.isin(questions[members], fold)
        yield members[~inside], members[inside]


def _ends_of(rows: Sequence[Quantiles | None], level: float) -> tuple[FloatArray, FloatArray]:
    nothing = (np.nan, np.nan)
    ends = [nothing if row is None else interval_at(row, level) for row in rows]
    low, high = np.array(ends, dtype=np.float64).reshape(-1, 2).T
    return low, high


def _outcome(
    low: FloatArray,
    high: FloatArray,
    truth: FloatArray,
    level: float,
    *,
    needed: int | None = None,
) -> _Outcome:
    score = winkler_scores(low, high, truth, level=level)
    holds = np.where(np.isnan(low), np.nan, (low <= truth) & (truth <= high))
    return _Outcome(holds, score, needed)


def _level_report(
    outcomes: Mapping[str, _Outcome],
    questions: IntArray,
    which: BoolArray,
    settings: tuple[float, int, int],
) -> IntervalLevel:
    level, n_resamples, seed = settings
    clusters = np.unique(questions[which], return_inverse=True)[1].reshape(-1)
    counts = draw_counts(int(clusters.max()) + 1, n_resamples, np.random.default_rng(seed))
    shares, scores = {}, {}
    for name, outcome in outcomes.items():
        holds, score = outcome.holds[which], outcome.score[which]
        if np.isnan(score).all():
            why = "no_interval"
            if outcome.needed is not None:
                why = f"widening_needs_{outcome.needed}_labels_of_other_questions"
            shares[name] = scores[name] = Figure(value=None, interval=None, n=0, reason=why)
            continue
        # A row without an interval does not hold the truth, and stays in the denominator.
        shares[name] = _share(np.nan_to_num(holds, nan=0.0), clusters, counts)
        scores[name] = _mean(score, clusters, counts)
    gain = _gain(
        outcomes["stated"].score[which], outcomes["widened"].score[which], clusters, counts
    )
    return IntervalLevel(
        level=level,
        coverage=shares["stated"],
        coverage_pooled=shares["pooled"],
        coverage_widened=shares["widened"],
        winkler=scores["stated"],
        winkler_pooled=scores["pooled"],
        winkler_widened=scores["widened"],
        winkler_gain=gain,
    )


def _share(holds: FloatArray, clusters: IntArray, counts: FloatArray) -> Figure:
    n = counts.shape[1]
    drawn = (counts @ np.bincount(clusters, holds, n)) / (counts @ np.bincount(clusters, None, n))
    rate = float(holds.mean())
    interval = korn_graubard_interval(rate, holds.size, drawn, np.unique(clusters).size)
    return Figure(value=rate, interval=interval, n=holds.size)


def _mean(scores: FloatArray, clusters: IntArray, counts: FloatArray) -> Figure:
    there = ~np.isnan(scores)
    n = counts.shape[1]
    value, rows = float(scores[there].mean()), int(there.sum())
    if n < _LEAST_QUESTIONS:
        return Figure(value=value, interval=None, n=rows, reason="too_few_questions")
    sums = np.bincount(clusters[there], scores[there], n)
    drawn = (counts @ sums) / (counts @ np.bincount(clusters[there], None, n))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Figure(value=value, interval=(float(low), float(high)), n=rows)


def _gain(
    stated: FloatArray, widened: FloatArray, clusters: IntArray, counts: FloatArray
) -> Figure:
    both = ~np.isnan(stated) & ~np.isnan(widened)
    if not stated[both].any():
        return Figure(value=None, interval=None, n=0, reason="nothing_to_compare")
    n, rows = counts.shape[1], int(both.sum())
    before, after = (np.bincount(clusters[both], s[both], n) for s in (stated, widened))
    value = float(1.0 - after.sum() / before.sum())
    if n < _LEAST_QUESTIONS:
        return Figure(value=value, interval=None, n=rows, reason="too_few_questions")
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = 1.0 - (counts @ after) / (counts @ before)
    low, high = np.quantile(drawn[np.isfinite(drawn)], [0.025, 0.975])
    return Figure(value=value, interval=(float(low), float(high)), n=rows)


def _on_scale(stated: Mapping[float, float], scale: Scale) -> Quantiles:
    probabilities = sorted(stated)
    # Stated quantiles that cross are put in order: the least change that makes a distribution.
    values = np.sort([stated[p] for p in probabilities])
    if scale == "log":
        values = np.log(np.maximum(values, _FLOOR * _middle(stated)))
    z = np.array([NormalDist().inv_cdf(p) for p in probabilities])
    return Quantiles(z, values)


def _middle(stated: Mapping[float, float]) -> float:
    nearest = min(stated, key=lambda p: abs(p - 0.5))
    return stated[nearest]


def _stated(sample: Mapping[str, object]) -> dict[float, float]:
    quantiles = sample.get("quantiles")
    if not isinstance(quantiles, Mapping):
        return {}
    found: dict[float, float] = {}
    for key, value in quantiles.items():
        match = _KEY.fullmatch(str(key))
        if match and 0.0 < float(match[1]) < 100.0 and _is_number(value):
            found[float(match[1]) / 100.0] = float(str(value))
    return found


def _is_number(value: object) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and bool(np.isfinite(float(str(value))))


def _cdf(z: FloatArray) -> FloatArray:
    from scipy.special import ndtr

    return np.asarray(ndtr(z), dtype=np.float64)


def _line_through(x: FloatArray, y: FloatArray, at: FloatArray) -> FloatArray:
    """Interpolate; continue the outer pieces. Equal neighbours in x are a jump."""
    inside = np.interp(at, x, y)
    left = y[0] + (at - x[0]) * _slope(x[:2], y[:2])
    right = y[-1] + (at - x[-1]) * _slope(x[-2:], y[-2:])
    return np.asarray(np.where(at < x[0], left, np.where(at > x[-1], right, inside)))


def _slope(x: FloatArray, y: FloatArray) -> float:
    # A distribution without spread: everything below it is impossible, everything above certain.
    step = max(float(x[1] - x[0]), 1e-9)
    return float(y[1] - y[0]) / step
