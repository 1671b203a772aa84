"""Logistic regression with a Gaussian prior: maximum a posteriori, with a Laplace band."""

from __future__ import annotations

from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.arrays import (
    BoolArray,
    FloatArray,
    as_matrix,
    as_probabilities,
    as_vector,
    as_weights,
    check_same_length,
    check_unit_open,
)
from uncertain_llm.stats.links import sigmoid

__all__ = [
    "LogisticFit",
    "NotConverged",
    "fit_logistic",
]


_ARMIJO = 1e-4  # the usual share of the predicted decrease that a step must reach (Nocedal, Wright)
_SMALLEST_STEP = 1e-12
_ROWS_OF_FIRST_GUESS = 20_000  # at 10^6 rows it saves four of six passes over all of them
_STEP_TOLERANCE = 1e-8  # Newton is quadratic near the optimum: one step more is exact to rounding


class NotConverged(ArithmeticError):
    """The optimiser stopped before the optimum; without a prior, separable labels cause this."""


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """A fitted logistic regression.

    Attributes:
        coefficients: Shape (d,), the mode of the posterior.
        covariance: Shape (d, d), inverse curvature at the mode (Laplace). A coefficient that its
            sign constraint holds at 0 has zero variance here: in that direction the band is too
            narrow, by at most what the prior allows.
        n_iterations: Newton steps taken.
    """

    coefficients: FloatArray
    covariance: FloatArray
    n_iterations: int

    def predict(self, design: npt.ArrayLike) -> FloatArray:
        """Return P(label = 1) at the mode.

        Args:
            design: Shape (m, d), columns as in the fit.

        Returns:
            Shape (m,), each in [0, 1].

        Raises:
            ValueError: Not a finite matrix with a column for each coefficient.
        """
        return sigmoid(self._linear(design))

    def predict_mean(self, design: npt.ArrayLike) -> FloatArray:
        """Return P(label = 1) averaged over the posterior; nearer to 1/2 than `predict`.

        Args:
            design: Shape (m, d), columns as in the fit.

        Returns:
            Shape (m,), each in [0, 1].

        Raises:
            ValueError: Not a finite matrix with a column for each coefficient.

        Source:
            MacKay (1992), Neural Computation 4(5), 720-736 (probit approximation).
        """
        variance = self._variance(design)
        return sigmoid(self._linear(design) / np.sqrt(1.0 + np.pi * variance / 8.0))

    def band(self, design: npt.ArrayLike, *, level: float = 0.9) -> tuple[FloatArray, FloatArray]:
        """Return lower and upper ends of the central credible band of P(label = 1).

        Args:
            design: Shape (m, d), columns as in the fit.
            level: Posterior probability that the band covers, in (0, 1).

        Returns:
            Two arrays of shape (m,), each in [0, 1].

        Raises:
            ValueError: The design has another shape, or the level is not in (0, 1).

        Source:
            Bishop (2006), section 4.5: the log odds are normal under the Laplace approximation.
        """
        check_unit_open(level, name="level")
        linear = self._linear(design)
        reach = NormalDist().inv_cdf(0.5 + level / 2.0) * np.sqrt(self._variance(design))
        return sigmoid(linear - reach), sigmoid(linear + reach)

    def _linear(self, design: npt.ArrayLike) -> FloatArray:
        matrix = as_matrix(design, name="design")
        check_same_length(
            self.coefficients.size, matrix.shape[1], names="coefficients and design columns"
        )
        return np.asarray(matrix @ self.coefficients, dtype=np.float64)

    def _variance(self, design: npt.ArrayLike) -> FloatArray:
        matrix = as_matrix(design, name="design")
        return np.asarray(np.einsum("ij,ij->i", matrix @ self.covariance, matrix), np.float64)


def fit_logistic(
    design: npt.ArrayLike,
    labels: npt.ArrayLike,
    *,
    prior_mean: npt.ArrayLike = 0.0,
    prior_precision: npt.ArrayLike = 0.0,
    nonnegative: npt.ArrayLike = False,
    weights: npt.ArrayLike | None = None,
    max_iterations: int = 100,
) -> LogisticFit:
    """Return the posterior mode of a logistic regression, by projected Newton steps.

    Minimises sum_i w_i logloss(y_i, x_i . b) + sum_k precision_k (b_k - mean_k)^2 / 2 over b, with
    b_k >= 0 where asked. The problem is convex, so the mode is the only one.

    Args:
        design: Shape (n, d); n may be 0 when every coefficient has a prior. Add a column of ones
            for an intercept.
        labels: Shape (n,), each in [0, 1]; values between 0 and 1 are soft labels.
        prior_mean: Shape (d,), or one number for all.
        prior_precision: Shape (d,), or one number; 1 / variance, 0 for no prior.
        nonnegative: Shape (d,) of booleans, or one for all: keep the coefficient >= 0.
        weights: Shape (n,), >= 0; None for equal weights.
        max_iterations: Newton steps before giving up.

    Returns:
        Mode, covariance and the number of steps.

    Raises:
        ValueError: Shapes or ranges are wrong.
        NotConverged: No optimum was reached: without a prior there is none for separable labels
            or for columns that depend on each other.

    Source:
        Bertsekas (1982), SIAM J. Control Optim. 20(2), 221-246 (projected Newton); Bishop (2006),
        section 4.4 (Laplace).

    Example:
        >>> fit = fit_logistic([[1.0], [1.0], [1.0], [1.0]], [1, 1, 1, 0])
        >>> float(fit.predict([[1.0]])[0])
        0.75
    """
    matrix = as_matrix(design, name="design")
    targets = as_probabilities(labels, name="labels")
    n, d = matrix.shape
    check_same_length(n, targets.size, names="design rows and labels")
    problem = _Problem(
        columns=np.ascontiguousarray(matrix.T),
        targets=targets,
        weights=as_weights(weights, n=n),
        mean=as_vector(np.broadcast_to(np.asarray(prior_mean, float), (d,)), name="prior_mean"),
        precision=_precision(prior_precision, d=d),
        floor=np.where(np.broadcast_to(np.asarray(nonnegative, bool), (d,)), 0.0, -np.inf),
    )
    return _minimise(problem, max_iterations=max_iterations)


@dataclass(frozen=True, slots=True)
class _Problem:
    """A penalised, bounded logistic likelihood."""

    columns: FloatArray
    """Shape (d, n): each coefficient's column lies together in memory."""
    targets: FloatArray
    weights: FloatArray
    mean: FloatArray
    precision: FloatArray
    floor: FloatArray

    def every(self, step: int) -> _Problem:
        """Return the problem on every `step`-th row, with the weight of all."""
        return replace(
            self,
            columns=np.ascontiguousarray(self.columns[:, ::step]),
            targets=self.targets[::step],
            weights=self.weights[::step] * step,
        )

    def at(self, point: FloatArray) -> _Position:
        linear = point @ self.columns
        small = np.exp(-np.abs(linear))
        # log(1 + exp(z)) - y z, with the larger part taken out of the exponential.
        losses = np.maximum(linear, 0.0) + np.log1p(small) - self.targets * linear
        value = float(self.weights @ losses)
        value += 0.5 * float(self.precision @ np.square(point - self.mean))
        fitted = np.where(linear >= 0.0, 1.0, small) / (1.0 + small)
        return _Position(point, value, fitted)

    def slope(self, position: _Position) -> FloatArray:
        slope = self.columns @ (self.weights * (position.fitted - self.targets))
        return np.asarray(slope + self.precision * (position.point - self.mean), np.float64)

    def curvature(self, position: _Position) -> FloatArray:
        spread = self.weights * position.fitted * (1.0 - position.fitted)
        return np.asarray((self.columns * spread) @ self.columns.T + np.diag(self.precision))


@dataclass(frozen=True, slots=True)
class _Position:
    """A point with what was computed there."""

    point: FloatArray
    value: float
    fitted: FloatArray


def _minimise(problem: _Problem, *, max_iterations: int) -> LogisticFit:
    position = problem.at(np.maximum(_first_guess(problem), problem.floor))
    for iteration in range(max_iterations + 1):
        slope, curvature = problem.slope(position), problem.curvature(position)
        free = ~((position.point <= problem.floor) & (slope >= 0.0))
        step = np.zeros_like(slope)
        step[free] = -_solve(curvature[np.ix_(free, free)], slope[free])
        # The step, not the gradient: for separable labels the gradient dies out while the
        # coefficients go on growing by about 1 a step.
        if bool(np.all(np.abs(step) <= _STEP_TOLERANCE * (1.0 + np.abs(position.point)))):
            mode = np.maximum(position.point + step, problem.floor)
            return LogisticFit(mode, _covariance(curvature, free), iteration)
        position = _line_search(problem, position, step, slope)
    raise NotConverged(
        f"no optimum after {max_iterations} Newton steps; separable labels need a prior "
        "(prior_precision > 0)"
    )


def _first_guess(problem: _Problem) -> FloatArray:
    """Return the prior's mean, or for many rows the optimum of a part of them."""
    step = problem.targets.size // _ROWS_OF_FIRST_GUESS
    if step < 2:
        return problem.mean
    try:
        return _minimise(problem.every(step), max_iterations=20).coefficients
    except NotConverged:
        return problem.mean


def _line_search(
    problem: _Problem, start: _Position, step: FloatArray, slope: FloatArray
) -> _Position:
    """Return the first of the points at step, step/2, step/4, ... that lowers the objective."""
    # Near the optimum the true decrease drowns in rounding; such steps are accepted.
    noise = 1e-13 * (abs(start.value) + 1.0)
    length = 1.0
    while length > _SMALLEST_STEP:
        candidate = problem.at(np.maximum(start.point + length * step, problem.floor))
        expected = _ARMIJO * float(slope @ (candidate.point - start.point))
        if candidate.value <= start.value + expected + noise:
            return candidate
        length /= 2.0
    raise NotConverged("no step lowers the objective; the columns of the design may be extreme")


def _covariance(curvature: FloatArray, free: BoolArray) -> FloatArray:
    covariance = np.zeros_like(curvature)
    inside = np.ix_(free, free)
    covariance[inside] = _solve(curvature[inside], np.eye(int(free.sum())))
    # A solution is symmetric only up to rounding.
    return np.asarray((covariance + covariance.T) / 2.0, dtype=np.float64)


def _solve(curvature: FloatArray, right_hand: FloatArray) -> FloatArray:
    try:
        solved = np.linalg.solve(curvature, right_hand)
    except np.linalg.LinAlgError as error:
        raise NotConverged(
            "the curvature is singular: columns depend on each other or labels are separable; "
            "give every coefficient a prior (prior_precision > 0)"
        ) from error
    return np.asarray(solved, dtype=np.float64)


def _precision(values: npt.ArrayLike, *, d: int) -> FloatArray:
    array = as_vector(np.broadcast_to(np.asarray(values, float), (d,)), name="prior_precision")
    if array.size and array.min() < 0.0:
        raise ValueError(f"prior_precision must not be negative, got {array.min()}")
    return array
