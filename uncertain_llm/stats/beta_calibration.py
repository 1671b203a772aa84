"""Beta calibration: three parameters, for scores whose errors differ at the two ends."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import FloatArray, as_labels, as_probabilities
from uncertain_llm.stats.links import DEFAULT_EDGE
from uncertain_llm.stats.logistic import LogisticFit, fit_logistic

__all__ = ["BetaFit", "fit_beta"]


@dataclass(frozen=True, slots=True)
class BetaFit:
    """log odds of being right = a * ln(s) - b * ln(1 - s) + c, with a >= 0 and b >= 0.

    Attributes:
        a: Weight of the low end.
        b: Weight of the high end; a = b is Platt scaling.
        c: The shift.
        covariance: Shape (3, 3), of (a, b, c).
        edge: Scores are squeezed linearly into [edge, 1 - edge] first.

    Source:
        Kull, Silva Filho and Flach (2017), "Beta calibration", AISTATS.

    Example:
        >>> import numpy as np
        >>> bent = BetaFit(a=2.0, b=0.5, c=0.0, covariance=np.zeros((3, 3)))
        >>> bent.predict([0.1, 0.9]).round(2)  # the low end counts four times the high one
        array([0.02, 0.69])
    """

    a: float
    b: float
    c: float
    covariance: FloatArray
    edge: float = DEFAULT_EDGE

    def predict(self, scores: npt.ArrayLike) -> FloatArray:
        """Return P(right) at the mode.

        Args:
            scores: Shape (m,), each in [0, 1].

        Returns:
            Shape (m,), each in [0, 1]; never falls with the score.

        Raises:
            ValueError: A score is outside [0, 1].
        """
        return self._logistic().predict(_beta_design(scores, edge=self.edge))

    def predict_mean(self, scores: npt.ArrayLike) -> FloatArray:
        """Return P(right) averaged over the posterior; nearer to 1/2 than `predict`.

        Args:
            scores: Shape (m,), each in [0, 1].

        Returns:
            Shape (m,), each in [0, 1].

        Raises:
            ValueError: A score is outside [0, 1].

        Source:
            As `LogisticFit.predict_mean`.
        """
        return self._logistic().predict_mean(_beta_design(scores, edge=self.edge))

    def band(self, scores: npt.ArrayLike, *, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper ends of the central credible band of P(right).

        Args:
            scores: Shape (m,), each in [0, 1].
            level: Posterior probability that the band covers, in (0, 1).

        Returns:
            Two arrays of shape (m,), each in [0, 1].

        Raises:
            ValueError: A score or the level is out of range.

        Source:
            As `LogisticFit.band`.
        """
        return self._logistic().band(_beta_design(scores, edge=self.edge), level=level)

    def _logistic(self) -> LogisticFit:
        return LogisticFit(np.array([self.a, self.b, self.c]), self.covariance, 0)


def fit_beta(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    prior_mean: tuple[float, float, float] = (0.7, 0.7, -0.2),
    prior_sd: tuple[float, float, float] = (1.0, 1.0, 2.0),
    weights: npt.ArrayLike | None = None,
    edge: float = DEFAULT_EDGE,
) -> BetaFit:
    """Return beta calibration with a Gaussian prior; never decreasing, since a, b >= 0.

    Args:
        scores: Shape (n,), each in [0, 1], any order; n may be 0, then it is the prior.
        labels: Shape (n,), 1 = right. One class only is no problem: the prior holds.
        prior_mean: Of (a, b, c); the default is that of `fit_platt`.
        prior_sd: Their standard deviations, > 0. Wide: this is for 100 labels and more.
        weights: Shape (n,), >= 0; None for equal weights.
        edge: As in `compressed_logit`.

    Returns:
        The fit; it predicts with a band.

    Raises:
        ValueError: Scores, labels or prior out of range.
        NotConverged: The optimum was not reached (not seen with a proper prior).

    Source:
        Kull, Silva Filho and Flach (2017), "Beta calibration", AISTATS; here with a prior and with
        the sign constraint inside the optimisation instead of a refit.

    Example:
        >>> fit = fit_beta([0.9, 0.8, 0.6, 0.3], [1, 1, 0, 0])
        >>> bool(fit.predict([0.9])[0] > fit.predict([0.3])[0])
        True
    """
    if min(prior_sd) <= 0.0:
        raise ValueError(f"prior_sd must be positive, got {prior_sd}")
    fit = fit_logistic(
        _beta_design(scores, edge=edge),
        as_labels(labels),
        prior_mean=prior_mean,
        prior_precision=1.0 / np.square(prior_sd),
        nonnegative=(True, True, False),
        weights=weights,
    )
    a, b, c = (float(value) for value in fit.coefficients)
    return BetaFit(a, b, c, fit.covariance, edge)


def _beta_design(scores: npt.ArrayLike, *, edge: float) -> FloatArray:
    if not 0.0 < edge < 0.5:
        raise ValueError(f"edge must lie in (0, 0.5), got {edge}")
    inside = edge + (1.0 - 2.0 * edge) * as_probabilities(scores, name="scores")
    return np.column_stack([np.log(inside), -np.log1p(-inside), np.ones_like(inside)])
