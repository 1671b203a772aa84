"""The fitted estimator: combiner, calibrator, what they have seen, and each group's shift."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from uncertain_llm.calibration.combining import Combiner
from uncertain_llm.calibration.maps import (
    BAND_LEVEL,
    NORMAL_QUANTILE,
    CalibrationMap,
    Reading,
    logit,
)
from uncertain_llm.calibration.prior import Prior
from uncertain_llm.core.base import Unit, Value
from uncertain_llm.core.confidence import Confidence, ConfidenceStatus, Measurement
from uncertain_llm.stats.scalars import sigmoid_of

__all__ = ["FittedEstimator", "GroupShift", "Groups", "Method", "Seen", "name_of"]

# A score a little beyond all that were seen is not another world: in log odds. Chosen, not tuned.
_MARGIN = 0.5


class Method(StrEnum):
    """How scores became probabilities."""

    PRIOR = "prior"
    """Too few labels to fit anything: the shipped prior, with its status."""
    PLATT = "platt"
    BETA = "beta"
    ISOTONIC = "isotonic"
    """Isotonic, each level pulled towards the curve of beta calibration."""
    VENN_ABERS = "venn_abers"
    AVERAGE = "average"
    """All that the labels can carry, weighted by how likely each makes labels it did not see."""


class Seen(Value):
    """What the labels covered; beyond it a probability is marked, and not extrapolated."""

    score: tuple[Unit, Unit]
    n_samples: tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)]]


class GroupShift(Value):
    """How one group differs from all others, on the log-odds scale."""

    group: str
    n_labels: Annotated[int, Field(ge=1)]
    n_right: Annotated[int, Field(ge=0)]
    shift: float
    """Added to the log odds; pulled towards 0 the more, the fewer labels the group has."""
    sd: Annotated[float, Field(ge=0)]
    mean_before: Unit
    """Mean probability of the group's labelled answers without the shift."""
    mean_after: Unit


class Groups(Value):
    """Per-group calibration by partial pooling."""

    by: str
    """The slice that tells groups apart: "domain", "model", "task", "dataset", or a label."""
    sd_between: Annotated[float, Field(ge=0)]
    """Standard deviation of the groups' true shifts, as estimated."""
    shifts: tuple[GroupShift, ...]


class FittedEstimator(Value):
    """Turns measurements into a probability by what was learnt from labels. Pure data.

    Example:
        >>> from uncertain_llm.calibration.combining import Example
        >>> from uncertain_llm.calibration.fitting import fit_estimator
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> answers = [
        ...     Example(values={"answer_agreement": a / 5}, n_samples=5, is_right=a > 2)
        ...     for a in (1, 2, 3, 4, 5) for _ in range(10)
        ... ]
        >>> fitted = fit_estimator(load_prior(), answers, seed=0).estimator
        >>> found = fitted.estimate(
        ...     [Measurement(signal="answer_agreement", value=0.8)], n_samples=5
        ... )
        >>> found.status.value, 0.7 < found.probability < 1.0, fitted.covers(found.score, 9)
        ('calibrated', True, False)
    """

    name: str
    method: Method
    n_labels: Annotated[int, Field(ge=0)]
    combiner: Combiner
    map: CalibrationMap | None
    """None when the method is `prior`."""
    seen: Seen | None
    groups: Groups | None = None
    group: str | None = None
    """The group whose answers are estimated now; set by `for_group_named`, never in a file."""

    def estimate(self, measurements: Sequence[Measurement], *, n_samples: int) -> Confidence:
        """Return score, probability, band and status.

        `calibrated` where labels like these were seen; `out_of_range` where the score or the
        number of replies lies outside what was seen: the probability is then that of the nearest
        score seen; `prior` for a pattern of measured signals that no label covers.

        Args:
            measurements: What the signals said.
            n_samples: Replies that count.

        Returns:
            The confidence; its probability and band lie in [0, 1].
        """
        values = {m.signal: m.value for m in measurements if m.value is not None}
        scored = self.combiner.score(values, n_samples)
        if self.map is None or self.seen is None or scored is None or not scored.was_seen:
            found = self._shipped().estimate(measurements, n_samples=n_samples)
            return found.model_copy(update={"calibrator": self.name if scored else None})
        low, high = self.seen.score
        inside = min(max(scored.score, low), high)
        reading = self._shifted(self.map.at(inside))
        known = self.covers(scored.score, n_samples)
        return Confidence(
            score=scored.score,
            probability=reading.probability,
            band=(reading.low, reading.high),
            band_level=BAND_LEVEL,
            status=ConfidenceStatus.CALIBRATED if known else ConfidenceStatus.OUT_OF_RANGE,
            calibrator=self.name,
            measurements=tuple(measurements),
        )

    def covers(self, score: float, n_samples: int) -> bool:
        """Tell whether labels were seen at about this score and number of replies.

        Args:
            score: In [0, 1]; a little beyond the scores seen still counts, in log odds.
            n_samples: Replies that count.
        """
        if self.seen is None:
            return False
        low, high = (logit(end) for end in self.seen.score)
        fewest, most = self.seen.n_samples
        return fewest <= n_samples <= most and low - _MARGIN <= logit(score) <= high + _MARGIN

    def for_group_named(self, group: str) -> FittedEstimator:
        """Return the estimator for answers of a group; one without labels has no shift."""
        return self if self.groups is None else self.model_copy(update={"group": group})

    def probability_at(self, score: float, *, group: str | None = None) -> float:
        """Return P(right) at a score, clamped to the scores seen, for answers of a group.

        Args:
            score: In [0, 1].
            group: None for the calibrator that all groups share.

        Returns:
            In [0, 1].

        Raises:
            ValueError: Nothing was fitted (method `prior`).
        """
        if self.map is None or self.seen is None:
            raise ValueError("the method is 'prior': no map from score to probability was fitted")
        estimator = self if group is None else self.for_group_named(group)
        inside = min(max(score, self.seen.score[0]), self.seen.score[1])
        return estimator._shifted(self.map.at(inside)).probability

    def _shipped(self) -> Prior:
        return Prior(name=self.name, fitted={}, patterns=self.combiner.patterns)

    def _shifted(self, reading: Reading) -> Reading:
        if self.groups is None or self.group is None:
            return reading
        found = next((g for g in self.groups.shifts if g.group == self.group), None)
        # A group without labels differs by an unknown amount: the band says so.
        shift, sd = (0.0, self.groups.sd_between) if found is None else (found.shift, found.sd)
        middle = logit(reading.probability)
        reach = NORMAL_QUANTILE * sd
        below = math.hypot(middle - logit(reading.low), reach)
        above = math.hypot(logit(reading.high) - middle, reach)
        return Reading(
            sigmoid_of(middle + shift),
            sigmoid_of(middle + shift - below),
            sigmoid_of(middle + shift + above),
        )


def name_of(estimator: FittedEstimator) -> str:
    """Return "fitted-" and a hash of everything but the name.

    Args:
        estimator: Its own name and the group that it is used for do not count.

    Example:
        >>> from uncertain_llm.calibration.fitting import fit_estimator
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> bare = fit_estimator(load_prior(), [], seed=0).estimator
        >>> name_of(bare) == name_of(bare.model_copy(update={"name": "another"})) == bare.name
        True
    """
    text = estimator.model_dump_json(exclude={"name", "group"})
    return f"fitted-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
