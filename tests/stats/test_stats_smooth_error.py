from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import trapezoid
from scipy.optimize import brentq

from uncertain_llm.stats.smooth_error import smooth_ece


def _smooth_ece_by_quadrature(stated: np.ndarray, labels: np.ndarray) -> float:
    """The definition, without grid or Fourier: reflected Gaussian kernel, fixed point by Brent."""
    at = np.linspace(0, 1, 20_001)

    def error(sigma: float) -> float:
        smoothed = np.zeros_like(at)
        for p, y in zip(stated, labels, strict=True):
            for shift in range(-4, 5, 2):
                for centre in (shift + p, shift - p):
                    smoothed += (y - p) * np.exp(-(((at - centre) / sigma) ** 2) / 2)
        return float(trapezoid(np.abs(smoothed), at) / (sigma * np.sqrt(2 * np.pi) * len(stated)))

    return float(brentq(lambda sigma: error(sigma) - sigma, 1e-3, 1.0, xtol=1e-7))


@pytest.mark.parametrize("seed", range(4))
def test_smooth_ece_agrees_with_its_definition_by_quadrature(seed: int) -> None:
    rng = np.random.default_rng(seed)
    stated = rng.beta(3, 1, size=60) if seed else np.repeat([0.0, 0.7, 1.0], 20)
    labels = (rng.random(60) < stated * 0.8).astype(float)

    expected = _smooth_ece_by_quadrature(stated, labels)

    assert smooth_ece(stated, labels) == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("seed", "expected"), [(0, 0.119474), (1, 0.129585), (2, 0.140858)])
def test_smooth_ece_agrees_with_the_authors_implementation(seed: int, expected: float) -> None:
    """Values of `relplot.smECE`, relplot 1.0.3, on the same draws."""
    rng = np.random.default_rng(seed)
    stated = rng.beta(3, 1, 500)
    labels = rng.random(500) < stated * 0.8

    assert smooth_ece(stated, labels) == pytest.approx(expected, abs=5e-4)


def test_smooth_ece_is_near_zero_for_true_probabilities_and_near_the_gap_for_false_ones() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random(200_000)
    labels = rng.random(200_000) < truth

    assert smooth_ece(truth, labels) < 0.006
    assert smooth_ece(np.full(1000, 0.7), np.arange(1000) < 500) == pytest.approx(0.2, abs=0.002)


def test_smooth_ece_barely_moves_when_probabilities_do() -> None:
    """Binned errors jump when an item crosses the edge of a bin; this one may not."""
    rng = np.random.default_rng(1)
    stated = np.round(rng.random(500), 2)
    labels = rng.random(500) < stated

    moved = np.clip(stated + rng.uniform(-1e-4, 1e-4, size=500), 0, 1)

    assert abs(smooth_ece(moved, labels) - smooth_ece(stated, labels)) < 3e-4
