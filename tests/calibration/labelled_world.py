"""A world in which the true probability of every answer is known."""

from __future__ import annotations

import math

import numpy as np

from uncertain_llm.calibration.combining import Example
from uncertain_llm.core.confidence import Measurement


def world(n: int, *, seed: int = 0, shift: float = 0.0, group: str | None = None) -> list[Example]:
    """Answers whose true P(right) is a third of 1 plus agreement, shifted in log odds."""
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(n):
        agreement = float(rng.integers(1, 6)) / 5
        p = 1 / (1 + math.exp(-(4 * agreement - 2 + shift)))
        values = {"answer_agreement": agreement, "question_brevity": float(rng.uniform(0.2, 0.8))}
        found.append(
            Example(values=values, n_samples=5, is_right=bool(rng.random() < p), group=group)
        )
    return found


def measured(**values: float) -> list[Measurement]:
    return [Measurement(signal=s, value=v) for s, v in values.items()]
