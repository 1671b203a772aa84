"""How far probabilities are off before there is any label: of the prior, and of raw agreement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from uncertain_llm.stats.calibration_error import ece_noise_floor
from uncertain_llm.stats.calibration_intervals import calibration_error_interval
from uncertain_llm.stats.smooth_error import smooth_ece


@dataclass(frozen=True)
class Claimed:
    """Probabilities one system claimed, which of them came true, and whose question it was."""

    probabilities: Sequence[float]
    right: Sequence[bool]
    questions: Sequence[str]


@dataclass(frozen=True)
class Offset:
    """How far claimed probabilities are off."""

    n_rows: int
    accuracy: float
    mean_probability: float
    ece: float
    low: float
    high: float
    smooth: float
    floor: float
    """ECE that a perfectly calibrated system would show on as many rows, at the 95 % quantile."""

    def text(self) -> str:
        """Return ECE with its interval, then smooth ECE."""
        return f"{self.ece:.3f} [{self.low:.3f}, {self.high:.3f}] / {self.smooth:.3f}"


def offset_of(claimed: Claimed, *, n_resamples: int, seed: int) -> Offset | None:
    """Return how far the probabilities are off; None where nothing was claimed."""
    if not claimed.probabilities:
        return None
    stated = np.asarray(claimed.probabilities, dtype=np.float64)
    right = np.asarray(claimed.right, dtype=np.float64)
    clusters = np.unique(np.asarray(claimed.questions), return_inverse=True)[1].reshape(-1)
    rng = np.random.default_rng(seed)
    interval = calibration_error_interval(
        "ece", stated, right, rng, clusters=clusters, n_resamples=n_resamples
    )
    return Offset(
        n_rows=len(stated),
        accuracy=float(right.mean()),
        mean_probability=float(stated.mean()),
        ece=interval.estimate,
        low=interval.low,
        high=interval.high,
        smooth=smooth_ece(stated, right),
        floor=ece_noise_floor(stated, np.random.default_rng(seed)),
    )
