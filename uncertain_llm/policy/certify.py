"""Certificates: thresholds on the score that keep a stated risk, or the reason for none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from uncertain_llm.policy.certificate import (
    Certificate,
    CertifiedBand,
    NotCertifiedReason,
    Promise,
    PromiseKind,
    ThresholdsFrom,
)
from uncertain_llm.stats.selection import CertifiedThreshold, NotCertified, certify_threshold
from uncertain_llm.stats.selection_other import average_risk_threshold
from uncertain_llm.stats.selection_plan import ThresholdGrid, threshold_grid

__all__ = [
    "NEVER",
    "Certificate",
    "CertifiedBand",
    "LabelledScores",
    "NotCertifiedReason",
    "Promise",
    "PromiseKind",
    "ThresholdsFrom",
    "certify",
    "certify_groups",
]

Floats = npt.NDArray[np.float64]

NEVER = -1.0
"""The score of an answer that no threshold may show: refused, unmeasured, or out of range."""

_SPLIT_SHARE = 0.2
_LEAST_REFERENCE = 50
"""Unlabelled answers from which thresholds are taken; with fewer a share of the labels is."""


@dataclass(frozen=True)
class LabelledScores:
    """Labelled answers that may certify: scored by a frozen pipeline that did not see the labels.

    Attributes:
        scores: Shape (n,); `NEVER` for an answer that is never shown.
        losses: Shape (n,), each in [0, 1]; 1 = wrong.
        reference: Shape (u,), scores of unlabelled traffic, `NEVER` included; may be empty.
    """

    scores: Floats
    losses: Floats
    reference: Floats


def certify(
    labelled: LabelledScores,
    promises: Sequence[Promise],
    *,
    delta: float,
    rng: np.random.Generator,
    kind: PromiseKind = "certified",
    group: str | None = None,
) -> tuple[list[CertifiedBand], list[NotCertifiedReason], ThresholdsFrom]:
    """Return the bands that can be certified, the reasons for the others, and the grid's origin.

    Each promise is about everything at or above its threshold and gets an equal part of delta, so
    all of them hold together with probability 1 - delta (union bound). A band between two
    thresholds would need labels of its own and is not offered.

    Args:
        labelled: Answers that shaped neither score nor thresholds.
        promises: One for each band.
        delta: Allowed chance that any promise is broken; ignored for "average".
        rng: Draws the split where there is no unlabelled traffic.
        kind: See `Certificate.kind`.
        group: Whose answers these are.

    Source:
        `stats.selection.certify_threshold` and `stats.selection_other.average_risk_threshold`.
    """
    if kind == "average":
        certified = [_average(labelled, promise, group) for promise in promises]
        return (*_sorted(certified), "labels")
    items, grid, origin = _grid(labelled, rng)
    own = delta / len(promises)
    found = [_certified(items, grid, promise, delta=own, group=group) for promise in promises]
    return (*_sorted(found), origin)


def certify_groups(
    labelled: dict[str, LabelledScores],
    promises: Sequence[Promise],
    *,
    delta: float,
    rng: np.random.Generator,
    kind: PromiseKind = "certified",
) -> tuple[list[CertifiedBand], list[NotCertifiedReason], ThresholdsFrom]:
    """Return `certify` for each group, delta shared out evenly: all groups' promises hold together.

    Args:
        labelled: The answers of each group.
        promises: The same for each group.
        delta: As in `certify`, for all groups together.
        rng: As in `certify`.
        kind: As in `certify`.
    """
    bands: list[CertifiedBand] = []
    reasons: list[NotCertifiedReason] = []
    origins: set[ThresholdsFrom] = set()
    for name in sorted(labelled):
        share = delta / len(labelled)
        found = certify(labelled[name], promises, delta=share, rng=rng, kind=kind, group=name)
        bands += found[0]
        reasons += found[1]
        origins.add(found[2])
    # One group that had to split its labels is what a reader has to know.
    origin: ThresholdsFrom = "labels" if kind == "average" else "unlabelled"
    return bands, reasons, "split" if "split" in origins else origin


_Found = CertifiedBand | NotCertifiedReason


def _sorted(found: Sequence[_Found]) -> tuple[list[CertifiedBand], list[NotCertifiedReason]]:
    bands = [f for f in found if isinstance(f, CertifiedBand)]
    answer = next((b for b in bands if b.band == "answer"), None)
    if answer is not None:
        # What keeps the smaller risk keeps the larger: "shown" never needs a higher score.
        bands = [_at_most(b, answer) if b.band == "shown" else b for b in bands]
    return bands, [f for f in found if isinstance(f, NotCertifiedReason)]


def _at_most(shown: CertifiedBand, answer: CertifiedBand) -> CertifiedBand:
    if shown.threshold <= answer.threshold or shown.alpha < answer.alpha:
        return shown
    return answer.model_copy(update={"band": "shown", "alpha": shown.alpha})


def _grid(
    labelled: LabelledScores, rng: np.random.Generator
) -> tuple[LabelledScores, ThresholdGrid | None, Literal["unlabelled", "split"]]:
    if labelled.reference.size >= _LEAST_REFERENCE:
        return labelled, _showable(labelled.reference), "unlabelled"
    n = labelled.scores.size
    order = rng.permutation(n)
    cut = round(_SPLIT_SHARE * n)
    # The few unlabelled answers there are help to space the thresholds.
    reference = np.concatenate([labelled.reference, labelled.scores[order[:cut]]])
    rest = LabelledScores(labelled.scores[order[cut:]], labelled.losses[order[cut:]], reference)
    return rest, _showable(reference), "split"


def _showable(reference: Floats) -> ThresholdGrid | None:
    """Return the grid without the threshold that would let everything through."""
    if reference.size == 0:
        return None
    grid = threshold_grid(reference)
    inside = grid.thresholds > NEVER
    if not inside.any():
        return None
    return ThresholdGrid(grid.thresholds[inside], grid.coverages[inside])


def _certified(
    items: LabelledScores,
    grid: ThresholdGrid | None,
    promise: Promise,
    *,
    delta: float,
    group: str | None,
) -> _Found:
    n = int(items.scores.size)
    found: CertifiedThreshold | NotCertified = (
        NotCertified(promise.alpha, delta, n, None, None)
        if grid is None
        else certify_threshold(
            items.scores, items.losses, grid=grid, alpha=promise.alpha, delta=delta
        )
    )
    if isinstance(found, NotCertified):
        return NotCertifiedReason(
            band=promise.band,
            group=group,
            alpha=promise.alpha,
            delta=delta,
            n_labels=n,
            smallest_alpha=found.smallest_alpha,
            labels_needed=found.labels_needed,
            why="risk_too_high" if found.labels_needed is None else "too_few_labels",
        )
    return CertifiedBand(
        band=promise.band,
        group=group,
        alpha=promise.alpha,
        delta=delta,
        threshold=found.threshold,
        n_labels=found.n_labels,
        n_accepted=found.n_accepted,
        n_wrong=found.total_loss,
        risk_bound=found.risk_bound,
        coverage=found.coverage,
    )


def _average(labelled: LabelledScores, promise: Promise, group: str | None) -> _Found:
    shown = labelled.scores > NEVER
    n = int(labelled.scores.size)
    found = average_risk_threshold(
        labelled.scores[shown], labelled.losses[shown], alpha=promise.alpha
    )
    if found is None:
        return NotCertifiedReason(
            band=promise.band,
            group=group,
            alpha=promise.alpha,
            delta=None,
            n_labels=n,
            why="risk_too_high",
        )
    return CertifiedBand(
        band=promise.band,
        group=group,
        alpha=promise.alpha,
        delta=None,
        threshold=found.threshold,
        n_labels=n,
        n_accepted=found.n_accepted,
        n_wrong=found.total_loss,
        risk_bound=None,
        coverage=found.n_accepted / n,
    )
