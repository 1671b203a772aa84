"""How well scores rank right answers above wrong ones: figures, and their bootstrap together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from uncertain_llm.stats.ranking import risk_coverage_curve

FIGURES = ("accuracy", "auroc", "aurc", "augrc", "selective_50", "selective_80")
LOWER_IS_BETTER = frozenset({"aurc", "augrc"})
LEVEL = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Ranked:
    """One system's scores of one dataset's rows, and whether the answers it chose are right."""

    scores: Floats
    right: Floats


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval."""

    value: float
    low: float
    high: float

    def text(self, *, signed: bool = False) -> str:
        """Return the figure and its interval with three digits."""
        form = "+.3f" if signed else ".3f"
        return f"{self.value:{form}} [{self.low:{form}}, {self.high:{form}}]"


@dataclass(frozen=True)
class Draws:
    """All figures of one system on the rows themselves and on every resample of them."""

    on_rows: Floats
    """Shape (n figures,)."""
    resampled: Floats
    """Shape (n resamples, n figures); NaN where a resample has one class only."""

    def minus(self, other: Draws) -> Draws:
        """Return the differences to a system that was drawn together with this one."""
        return Draws(self.on_rows - other.on_rows, self.resampled - other.resampled)

    def estimate(self, figure: str) -> Estimate:
        """Return one figure with its percentile interval."""
        place = FIGURES.index(figure)
        tail = (1 - LEVEL) / 2
        low, high = np.nanquantile(self.resampled[:, place], [tail, 1 - tail])
        return Estimate(float(self.on_rows[place]), float(low), float(high))


def as_ranked(scores: Sequence[float | None], right: Sequence[bool]) -> Ranked:
    """Return scores that can be ranked: where there is none, the answer goes last."""
    known = [s for s in scores if s is not None]
    last = min(known, default=0.0) - 1.0
    values = np.array([last if s is None else s for s in scores], dtype=np.float64)
    return Ranked(values, np.asarray(right, dtype=np.float64))


def figures_of(scores: Floats, right: Floats) -> Floats:
    """Return the figures in the order of `FIGURES`."""
    curve = risk_coverage_curve(scores, right)
    ranks = curve.auroc()
    return np.array(
        [
            right.mean(),
            np.nan if ranks is None else ranks,
            curve.aurc(),
            curve.augrc(),
            curve.selective_accuracy(0.5),
            curve.selective_accuracy(0.8),
        ]
    )


def draw_together(
    systems: Mapping[str, Ranked], questions: Sequence[str], *, n_resamples: int, seed: int
) -> dict[str, Draws]:
    """Return the figures of every system, all on the same resamples of whole questions.

    One question asked of several models is one cluster. The same resamples for all systems make
    every difference of two of them a paired one (as `stats.resampling` does for one figure).
    """
    rng = np.random.default_rng(seed)
    members = np.unique(np.asarray(questions), return_inverse=True)[1].reshape(-1)
    order = np.argsort(members, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(members))[:-1])
    picks = [
        np.concatenate([groups[g] for g in rng.integers(len(groups), size=len(groups))])
        for _ in range(n_resamples)
    ]
    return {
        name: Draws(
            figures_of(s.scores, s.right),
            np.array([figures_of(s.scores[p], s.right[p]) for p in picks]),
        )
        for name, s in systems.items()
    }


def mean_of(draws: Sequence[Draws]) -> Draws:
    """Return the mean over datasets, each weighing the same; their resamples are independent."""
    return Draws(
        np.mean([d.on_rows for d in draws], axis=0),
        np.mean([d.resampled for d in draws], axis=0),
    )


def best_of(draws: Mapping[str, Draws], figure: str) -> str:
    """Return the name of the best system by one figure; the first one where several are equal."""
    place = FIGURES.index(figure)
    sign = -1.0 if figure in LOWER_IS_BETTER else 1.0
    return max(draws, key=lambda name: sign * float(draws[name].on_rows[place]))
