"""The forms that a calibrator can have, each fitted to the same labels, each with a band."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from uncertain_llm.calibration.fitted import Method
from uncertain_llm.calibration.maps import BAND_LEVEL, PlattMap
from uncertain_llm.stats.beta_calibration import BetaFit, fit_beta
from uncertain_llm.stats.isotonic import DEFAULT_STRENGTH, fit_isotonic, fit_shrunk_isotonic
from uncertain_llm.stats.platt import PlattFit, fit_platt
from uncertain_llm.stats.venn_abers import fit_venn_abers

__all__ = ["Form", "fit_forms", "platt_map"]

Floats = npt.NDArray[np.float64]

# A score is the shipped prior's log odds, or weights of one's own pulled towards them: on a new
# dataset it is right on average (slope 1, intercept 0) and off by the prior's variance between
# datasets, 1.67 (`prior.json`): sd 1.3. The sd of the slope is between the best on recorded
# families that were left out (0.5) and in made-up worlds with flat scores (1.0), November 2026.
_PLATT_MEAN, _PLATT_SD = (1.0, 0.0), (0.7, 1.3)
_BETA_MEAN, _BETA_SD = (1.0, 1.0, 0.0), (1.0, 1.0, 1.3)  # (a + b) / 2 has the sd of the slope

_ROWS_OF_A_CURVE = 50_000


@dataclass(frozen=True)
class Form:
    """One form of calibrator, fitted."""

    method: Method
    predict: Callable[[Floats], Floats]
    """P(right), averaged over what the labels leave open where the form has a posterior."""
    band: Callable[[Floats], tuple[Floats, Floats]]
    """Ends of the 90 % band."""


def fit_forms(methods: Sequence[Method], scores: Floats, labels: Floats) -> tuple[Form, ...]:
    """Return the forms asked for, fitted to these labels, in the order asked for.

    Args:
        methods: Of `platt`, `beta`, `isotonic`, `venn_abers`.
        scores: Shape (n,), each in [0, 1], n >= 1; not fitted on these labels.
        labels: Shape (n,), 1 = right.

    Returns:
        One for each method.

    Raises:
        KeyError: A method is none of these.
        ValueError: Scores or labels out of range, or unequal lengths.

    Source:
        `stats.platt`, `stats.beta_calibration`, `stats.isotonic` and `stats.venn_abers`.

    Example:
        >>> scores, labels = np.array([0.2, 0.4, 0.8]), np.array([0.0, 1.0, 1.0])
        >>> (form,) = fit_forms([Method.PLATT], scores, labels)
        >>> low, high = form.band(scores)
        >>> bool(np.all((low < form.predict(scores)) & (form.predict(scores) < high)))
        True
    """
    beta = cache(lambda: _fit_beta(scores, labels))
    fitters: dict[Method, Callable[[], Form]] = {
        Method.PLATT: lambda: _platt(scores, labels),
        Method.BETA: lambda: _beta(beta()),
        Method.ISOTONIC: lambda: _isotonic(scores, labels, beta()),
        Method.VENN_ABERS: lambda: _venn_abers(scores, labels),
    }
    return tuple(fitters[method]() for method in methods)


def platt_map(scores: Floats, labels: Floats) -> PlattMap:
    """Return the map that says what the form `platt` says.

    Args:
        scores: Shape (n,), each in [0, 1]; n may be 0, then it is the prior.
        labels: Shape (n,), 1 = right.

    Source:
        `stats.platt.fit_platt`, with a prior centred on "the score is right".

    Example:
        >>> platt_map(np.empty(0), np.empty(0)).coefficients
        (1.0, 0.0)
    """
    fit = _fit_platt(scores, labels)
    (v_aa, v_ab), (v_ba, v_bb) = fit.covariance.tolist()
    return PlattMap(
        coefficients=(fit.slope, fit.intercept),
        covariance=((v_aa, v_ab), (v_ba, v_bb)),
        edge=fit.edge,
        rises=fit.mean_rises(),
    )


def _platt(scores: Floats, labels: Floats) -> Form:
    fit = _fit_platt(scores, labels)
    low, high = fit.mean_rises()

    def predict(at: Floats) -> Floats:
        return fit.predict_mean(np.clip(at, low, high))

    return Form(Method.PLATT, predict, lambda at: fit.band(at, level=BAND_LEVEL))


def _fit_platt(scores: Floats, labels: Floats) -> PlattFit:
    return fit_platt(scores, labels, prior_mean=_PLATT_MEAN, prior_sd=_PLATT_SD)


def _beta(fit: BetaFit) -> Form:
    return Form(Method.BETA, fit.predict_mean, lambda at: fit.band(at, level=BAND_LEVEL))


def _fit_beta(scores: Floats, labels: Floats) -> BetaFit:
    # Of so many labels isotonic follows the curve at the two ends only, and three parameters hardly
    # move any more: at a million labels all of them would cost a third of the fit.
    every = max(1, scores.size // _ROWS_OF_A_CURVE)
    return fit_beta(scores[::every], labels[::every], prior_mean=_BETA_MEAN, prior_sd=_BETA_SD)


def _isotonic(scores: Floats, labels: Floats, curve: BetaFit) -> Form:
    fit = fit_shrunk_isotonic(scores, labels, curve=curve)

    def band(at: Floats) -> tuple[Floats, Floats]:
        # What the labels of each level, and the curve's, leave open.
        return _level_band(fit.predict(at), fit.support_at(at) + DEFAULT_STRENGTH)

    return Form(Method.ISOTONIC, fit.predict, band)


def _venn_abers(scores: Floats, labels: Floats) -> Form:
    fit = fit_venn_abers(scores, labels)

    def band(at: Floats) -> tuple[Floats, Floats]:
        # The pair of probabilities is no 90 % band: it says what one label could change.
        return _level_band(fit.predict(at).merged, fit_isotonic(scores, labels).support_at(at))

    return Form(Method.VENN_ABERS, lambda at: fit.predict(at).merged, band)


def _level_band(values: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Return the band of levels that rest on so many labels.

    Source:
        Equal-tailed Jeffreys interval: Brown, Cai and DasGupta (2001), Statistical Science 16(2).
    """
    from scipy.stats import beta

    tail = (1.0 - BAND_LEVEL) / 2.0
    right, wrong = values * weight + 0.5, (1.0 - values) * weight + 0.5
    return (
        np.minimum(beta.ppf(tail, right, wrong), values),
        np.maximum(beta.ppf(1.0 - tail, right, wrong), values),
    )
