"""Which calibrator the labels can carry: by their number, then by cross-validated log loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.calibration.fitted import Method
from uncertain_llm.calibration.maps import (
    BAND_LEVEL,
    CalibrationMap,
    IsotonicMap,
    LogisticMap,
    VennAbersMap,
)
from uncertain_llm.stats.beta_calibration import BetaFit, fit_beta
from uncertain_llm.stats.isotonic import (
    DEFAULT_STRENGTH,
    IsotonicFit,
    fit_isotonic,
    fit_shrunk_isotonic,
)
from uncertain_llm.stats.logistic import PlattFit, fit_platt
from uncertain_llm.stats.metrics import log_loss
from uncertain_llm.stats.venn_abers import VennAbersFit, fit_venn_abers

__all__ = [
    "LEAST_LABELS",
    "CalibratorChoice",
    "MapFit",
    "candidates",
    "choose_calibrator",
    "folds_of",
]

Floats = npt.NDArray[np.float64]

LEAST_LABELS = 20
"""With fewer, nothing is fitted: the shipped prior is nearer to the truth than any fit."""

_BETA_FROM = 100
_FLEXIBLE_FROM = 300
_MOST_LEVELS = 5000
"""Distinct scores up to which Venn-Abers is tried: each is two numbers in the file."""

_N_FOLDS = 5
_MOST_ROWS_TO_CHOOSE = 20_000
"""Rows that the comparison of methods looks at; beyond, their log losses differ by nothing."""

_CLIP = 1e-4
"""Probabilities are held so far from 0 and 1 in log losses, for all methods alike."""


@dataclass(frozen=True)
class MapFit:
    """A calibrator fitted to scores: predicts for arrays, and becomes plain data."""

    method: Method
    predict: Callable[[Floats], Floats]
    as_map: Callable[[], CalibrationMap]


@dataclass(frozen=True)
class CalibratorChoice:
    """The calibrator, and what it was preferred to."""

    fit: MapFit
    log_losses: Mapping[Method, float]
    """Cross-validated; empty when there was nothing to choose from."""
    why: str


def candidates(n_labels: int, n_levels: int) -> tuple[Method, ...]:
    """Return the methods that so many labels can carry; the simplest first.

    Args:
        n_labels: Labels.
        n_levels: Distinct scores among them.

    Source:
        Niculescu-Mizil and Caruana (2005), ICML; the numbers are those of our own measurement on
        27 recorded sets (November 2026, `benchmarks/few_labels.py`).

    Example:
        >>> [method.value for method in candidates(50, 40)]
        ['platt']
    """
    if n_labels < _BETA_FROM:
        return (Method.PLATT,)
    if n_labels < _FLEXIBLE_FROM:
        return (Method.PLATT, Method.BETA)
    smooth = (Method.PLATT, Method.BETA, Method.ISOTONIC)
    return (*smooth, Method.VENN_ABERS) if n_levels <= _MOST_LEVELS else smooth


def choose_calibrator(scores: Floats, labels: Floats, rng: np.random.Generator) -> CalibratorChoice:
    """Return the calibrator with the least cross-validated log loss among those allowed.

    Args:
        scores: Shape (n,), each in [0, 1], n >= 1; not fitted on these labels.
        labels: Shape (n,), 1 = right.
        rng: Draws the folds.
    """
    methods = candidates(scores.size, np.unique(scores).size)
    if len(methods) == 1:
        why = f"{scores.size} labels carry two parameters, pulled towards the usual overconfidence"
        return CalibratorChoice(_FITTERS[methods[0]](scores, labels), {}, why)
    rows = rng.permutation(scores.size)[:_MOST_ROWS_TO_CHOOSE]
    folds = folds_of(rows.size, rng)
    losses = {m: _held_out_loss(m, scores[rows], labels[rows], folds) for m in methods}
    best = min(methods, key=lambda method: losses[method])
    why = "least cross-validated log loss of " + ", ".join(
        f"{method.value} {loss:.4f}" for method, loss in losses.items()
    )
    return CalibratorChoice(_FITTERS[best](scores, labels), losses, why)


def folds_of(n: int, rng: np.random.Generator, *, n_folds: int = _N_FOLDS) -> npt.NDArray[np.intp]:
    """Return the fold of each of n items: equal shares, drawn by chance."""
    return np.asarray(rng.permutation(n) % n_folds, dtype=np.intp)


def _held_out_loss(
    method: Method, scores: Floats, labels: Floats, folds: npt.NDArray[np.intp]
) -> float:
    held_out = np.empty_like(scores)
    for fold in range(int(folds.max()) + 1):
        out = folds == fold
        held_out[out] = _FITTERS[method](scores[~out], labels[~out]).predict(scores[out])
    return log_loss(np.clip(held_out, _CLIP, 1.0 - _CLIP), labels)


def _platt(scores: Floats, labels: Floats) -> MapFit:
    fit = fit_platt(scores, labels)
    return MapFit(Method.PLATT, fit.predict, lambda: _platt_map(fit))


def _platt_map(fit: PlattFit) -> LogisticMap:
    return LogisticMap(
        kind="platt",
        coefficients=(fit.slope, fit.intercept),
        covariance=_rows(fit.covariance),
        edge=fit.edge,
    )


def _beta(scores: Floats, labels: Floats) -> MapFit:
    fit = fit_beta(scores, labels)
    return MapFit(Method.BETA, fit.predict, lambda: _beta_map(fit))


def _beta_map(fit: BetaFit) -> LogisticMap:
    return LogisticMap(
        kind="beta",
        coefficients=(fit.a, fit.b, fit.c),
        covariance=_rows(fit.covariance),
        edge=fit.edge,
    )


def _isotonic(scores: Floats, labels: Floats) -> MapFit:
    fit = fit_shrunk_isotonic(scores, labels)
    return MapFit(Method.ISOTONIC, fit.predict, lambda: _isotonic_map(fit, scores, labels))


def _isotonic_map(fit: IsotonicFit, scores: Floats, labels: Floats) -> IsotonicMap:
    """Return the map with a band: what the labels of each level, and the curve's, leave open.

    Source:
        Equal-tailed Jeffreys interval: Brown, Cai and DasGupta (2001), Statistical Science 16(2).
    """
    from scipy.stats import beta

    weight = _labels_per_level(fit_isotonic(scores, labels), scores, fit.scores) + DEFAULT_STRENGTH
    tail = (1.0 - BAND_LEVEL) / 2.0
    right, wrong = fit.values * weight + 0.5, (1.0 - fit.values) * weight + 0.5
    low = np.minimum(beta.ppf(tail, right, wrong), fit.values)
    high = np.maximum(beta.ppf(1.0 - tail, right, wrong), fit.values)
    return IsotonicMap(
        scores=tuple(fit.scores.tolist()),
        values=tuple(fit.values.tolist()),
        # A surer score must not have a lower band: a policy may act on the band's lower end.
        lows=tuple(np.minimum(np.maximum.accumulate(low), fit.values).tolist()),
        highs=tuple(np.maximum.accumulate(high).tolist()),
    )


def _labels_per_level(plain: IsotonicFit, scores: Floats, at: Floats) -> Floats:
    """Return how many labels share the isotonic level that each of `at` lies on."""
    levels = plain.predict(scores)
    values, counts = np.unique(levels, return_counts=True)
    places = np.clip(np.searchsorted(values, plain.predict(at)), 0, values.size - 1)
    return np.asarray(counts[places], dtype=np.float64)


def _venn_abers(scores: Floats, labels: Floats) -> MapFit:
    fit = fit_venn_abers(scores, labels)
    return MapFit(
        Method.VENN_ABERS, lambda values: fit.predict(values).merged, lambda: _venn_map(fit)
    )


def _venn_map(fit: VennAbersFit) -> VennAbersMap:
    return VennAbersMap(
        scores=tuple(fit.scores.tolist()),
        if_wrong=tuple(fit.if_wrong.tolist()),
        if_right=tuple(fit.if_right.tolist()),
    )


def _rows(matrix: Floats) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(line) for line in matrix.tolist())


_FITTERS: Mapping[Method, Callable[[Floats, Floats], MapFit]] = {
    Method.PLATT: _platt,
    Method.BETA: _beta,
    Method.ISOTONIC: _isotonic,
    Method.VENN_ABERS: _venn_abers,
}
