from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from uncertain_llm.stats.logistic import NotConverged, fit_logistic


def _example(seed: int, *, n: int = 200, d: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    design = np.column_stack([rng.normal(size=(n, d - 1)), np.ones(n)])
    chance = 1 / (1 + np.exp(-(design @ np.linspace(1.2, -0.5, d))))
    return design, (rng.random(n) < chance).astype(float)


def _objective(
    point: np.ndarray,
    design: np.ndarray,
    labels: np.ndarray,
    mean: np.ndarray,
    precision: np.ndarray,
    weights: np.ndarray,
) -> float:
    linear = design @ point
    losses = np.logaddexp(0, linear) - labels * linear
    return float(weights @ losses + 0.5 * precision @ (point - mean) ** 2)


def test_ridge_fit_agrees_with_scikit_learn() -> None:
    design, labels = _example(0)
    model = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=10_000)

    fit = fit_logistic(design, labels, prior_precision=2.0)

    np.testing.assert_allclose(fit.coefficients, model.fit(design, labels).coef_[0], atol=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_constrained_fit_agrees_with_a_general_optimiser(seed: int) -> None:
    design, labels = _example(seed, n=60, d=4)
    rng = np.random.default_rng(seed + 100)
    mean, precision, weights = rng.normal(size=4), rng.random(4) + 0.1, rng.random(60) * 2
    signs = [True, True, True, False]

    fit = fit_logistic(
        design,
        labels,
        prior_mean=mean,
        prior_precision=precision,
        nonnegative=signs,
        weights=weights,
    )
    other = minimize(
        _objective,
        np.ones(4),
        args=(design, labels, mean, precision, weights),
        bounds=[(0, None)] * 3 + [(None, None)],
        method="L-BFGS-B",
        options={"ftol": 1e-15, "gtol": 1e-9},
    )

    assert fit.coefficients[:3].min() >= 0.0
    np.testing.assert_allclose(fit.coefficients, other.x, atol=2e-5)


def test_integer_weights_are_repeated_rows() -> None:
    design, labels = _example(3, n=40)
    repeats = np.arange(40) % 4

    weighted = fit_logistic(design, labels, weights=repeats, prior_precision=0.1)
    repeated = fit_logistic(
        np.repeat(design, repeats, axis=0), np.repeat(labels, repeats), prior_precision=0.1
    )

    np.testing.assert_allclose(weighted.coefficients, repeated.coefficients, atol=1e-9)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance, atol=1e-9)


def test_intercept_alone_has_the_closed_form() -> None:
    """Mode log(p / (1 - p)), variance 1 / (n p (1 - p))."""
    fit = fit_logistic(np.ones((50, 1)), [1] * 40 + [0] * 10)

    assert fit.coefficients[0] == pytest.approx(np.log(4))
    assert fit.covariance[0, 0] == pytest.approx(1 / (50 * 0.8 * 0.2))


def test_without_rows_the_posterior_is_the_prior() -> None:
    fit = fit_logistic(np.empty((0, 2)), [], prior_mean=[0.7, -0.2], prior_precision=[4.0, 1.0])

    np.testing.assert_allclose(fit.coefficients, [0.7, -0.2])
    np.testing.assert_allclose(fit.covariance, np.diag([0.25, 1.0]))


def test_covariance_is_the_inverse_of_the_numerical_curvature() -> None:
    design, labels = _example(5)
    fit = fit_logistic(design, labels, prior_precision=0.5)
    rest = (design, labels, np.zeros(3), np.full(3, 0.5), np.ones(200))
    step = 1e-4

    def bumped(i: int, j: int) -> float:
        directions = step * np.eye(3)
        return sum(
            si * sj * _objective(fit.coefficients + si * directions[i] + sj * directions[j], *rest)
            for si in (-1, 1)
            for sj in (-1, 1)
        ) / (4 * step**2)

    curvature = [[bumped(i, j) for j in range(3)] for i in range(3)]
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(curvature), rtol=1e-3)


@pytest.mark.parametrize(
    ("design", "labels"),
    [
        ([[1.0, 1.0], [2.0, 1.0], [3.0, 1.0]], [0, 0, 1]),
        ([[1.0], [1.0]], [1, 1]),
        ([[1.0, 1.0], [2.0, 2.0], [1.0, 1.0]], [1, 0, 0]),
    ],
    ids=["separable", "one class", "dependent columns"],
)
def test_a_fit_without_optimum_is_an_error_unless_a_prior_makes_one(
    design: npt.ArrayLike, labels: npt.ArrayLike
) -> None:
    with pytest.raises(NotConverged):
        fit_logistic(design, labels)

    assert np.isfinite(fit_logistic(design, labels, prior_precision=1.0).coefficients).all()


def test_too_few_iterations_are_an_error() -> None:
    design, labels = _example(0)

    with pytest.raises(NotConverged, match="after 1 Newton"):
        fit_logistic(design, labels, max_iterations=1)


def test_a_coefficient_held_at_zero_has_no_variance() -> None:
    design = np.column_stack([[3.0, 2.0, 1.0, 0.0], np.ones(4)])

    fit = fit_logistic(design, [0, 0, 1, 1], prior_precision=1.0, nonnegative=[True, False])

    assert fit.coefficients[0] == 0.0
    assert fit.covariance[0].tolist() == [0.0, 0.0]


def test_band_covers_the_true_probability_about_as_often_as_it_says() -> None:
    """Labels drawn from the prior's own model: Bayesian coverage, judged within 4 sigma."""
    rng = np.random.default_rng(11)
    point = np.array([[1.0, 1.0]])
    hits = 0
    for _ in range(600):
        truth = rng.normal([0.7, -0.2], [0.5, 1.0])
        design = np.column_stack([rng.normal(size=60), np.ones(60)])
        labels = rng.random(60) < 1 / (1 + np.exp(-(design @ truth)))
        fit = fit_logistic(design, labels, prior_mean=[0.7, -0.2], prior_precision=[4.0, 1.0])
        low, high = fit.band(point, level=0.9)
        hits += int(low[0] <= 1 / (1 + np.exp(-(point @ truth)))[0] <= high[0])

    assert abs(hits / 600 - 0.9) < 4 * np.sqrt(0.09 / 600)


def test_posterior_mean_matches_an_average_over_draws() -> None:
    design, labels = _example(2, n=30)
    fit = fit_logistic(design, labels, prior_precision=0.3)
    draws = np.random.default_rng(0).multivariate_normal(
        fit.coefficients, fit.covariance, size=200_000
    )

    by_draws = np.mean(1 / (1 + np.exp(-draws @ np.array([2.0, 0.0, 1.0]))))

    assert fit.predict_mean([[2.0, 0.0, 1.0]])[0] == pytest.approx(by_draws, abs=0.005)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fit_logistic([[1.0]], [2.0]), r"\[0, 1\]"),
        (lambda: fit_logistic([[1.0]], [1.0, 0.0]), "same length"),
        (lambda: fit_logistic([1.0], [1.0]), "shape"),
        (lambda: fit_logistic([[np.inf]], [1.0]), "finite"),
        (lambda: fit_logistic([[1.0]], [1.0], prior_precision=-1.0), "prior_precision"),
        (lambda: fit_logistic([[1.0]], [1.0], weights=[-1.0]), "weights"),
    ],
)
def test_bad_input_to_a_fit_is_refused(call: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_many_rows_give_the_fit_that_starts_from_the_prior() -> None:
    """Above 40,000 rows a part is fitted first."""
    design, labels = _example(6, n=60_000)
    model = LogisticRegression(C=1.0, fit_intercept=False, tol=1e-10, max_iter=10_000)

    fit = fit_logistic(design, labels, prior_precision=1.0)

    np.testing.assert_allclose(fit.coefficients, model.fit(design, labels).coef_[0], atol=1e-5)
    assert fit.n_iterations <= 4


def test_many_rows_whose_part_is_separable_are_fitted_all_the_same() -> None:
    labels = np.zeros(60_000)
    labels[1::3] = 1.0  # every third row is wrong, and the part sees only such rows

    fit = fit_logistic(np.ones((60_000, 1)), labels)

    assert fit.predict([[1.0]])[0] == pytest.approx(1 / 3)


def test_columns_that_differ_by_rounding_only_are_an_error() -> None:
    """No direction that Newton computes from them lowers the objective."""
    rng = np.random.default_rng(0)
    column = rng.normal(size=6)
    twin = column * (1 + 1e-9 * rng.normal(size=6))

    with pytest.raises(NotConverged):
        fit_logistic(np.column_stack([column, twin, np.ones(6)]), rng.integers(0, 2, 6))
