"""The combiner: measurements to one score, monotone in every signal, whatever is missing."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pydantic import Field

from uncertain_llm.calibration.prior import Pattern, Prior, feature_names, features_of
from uncertain_llm.core.base import Value
from uncertain_llm.stats.scalars import sigmoid_of

__all__ = ["Combiner", "Example", "Scored", "fit_combiner", "prior_combiner"]

# Prior standard deviations of a fit that is centred on the shipped coefficients. Chosen so that
# about 30 labels move a weight as far as the prior allows; not tuned.
_SD_STRONG = 0.5
_SD_WEAK = 1.0
_SD_PER_LOG_SAMPLES = 0.5
_SD_OWN = 0.5
_LEAST_ROWS = 30
"""A pattern of measured signals with fewer labelled rows keeps the shipped coefficients."""

_KNOWN = frozenset(feature_names())
_STRONG = ("answer_agreement", "stated_probability")
_OWN_EDGE = 0.03  # as `stats.links.DEFAULT_EDGE`: a signal of exactly 0 or 1 stays finite


@dataclass(frozen=True, slots=True)
class Example:
    """One answer with its label, as fitting sees it."""

    values: Mapping[str, float]
    """Signal name to value; signals without a value are left out."""
    n_samples: int
    is_right: bool
    group: str | None = None
    """What calibration may differ by, for example the domain."""


class Scored(NamedTuple):
    """A score and how well the fit knows the place where it was made."""

    score: float
    """In (0, 1); ranks. Not a probability."""
    was_seen: bool
    """Whether labels had this pattern of measured signals."""


class Combiner(Value):
    """Measurements to a score. No weight is negative: more evidence never lowers the score.

    Source:
        A logistic regression for each pattern of signals that could be measured, so that nothing
        is filled in for a missing one; own choice.

    Example:
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> shipped = prior_combiner(load_prior())
        >>> all_agree = shipped.score({"answer_agreement": 1.0}, n_samples=5)
        >>> half_agree = shipped.score({"answer_agreement": 0.5}, n_samples=5)
        >>> all_agree.score > half_agree.score, all_agree.was_seen
        (True, False)
    """

    source: str
    """Name of the shipped prior whose weights these are, or "fitted"."""
    patterns: tuple[Pattern, ...]
    """One model for each pattern of strong signals that could be measured."""
    seen: tuple[tuple[str, ...], ...] = ()
    """The patterns that labels were seen for."""
    own: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """Weight and centre of each signal that the shipped prior does not know; a missing one counts
    as an average one."""

    def score(self, values: Mapping[str, float], n_samples: int) -> Scored | None:
        """Return the score of measured values; None when no pattern fits.

        Args:
            values: Signal name to value in [0, 1]; missing signals left out.
            n_samples: Replies that count.

        Returns:
            The score, in (0, 1), and whether labels had such measurements.
        """
        pattern = self._pattern(values)
        if pattern is None:
            return None
        log_odds = pattern.log_odds(values, n_samples)
        for signal, (weight, centre) in self.own.items():
            if signal in values:
                log_odds += weight * (_own_feature(values[signal]) - centre)
        return Scored(score=sigmoid_of(log_odds), was_seen=pattern.strong in self.seen)

    def _pattern(self, values: Mapping[str, float]) -> Pattern | None:
        if _KNOWN.isdisjoint(values):
            return None
        strong = [signal for signal in _STRONG if signal in values]
        for pattern in self.patterns:
            if len(pattern.strong) == len(strong) and all(s in pattern.strong for s in strong):
                return pattern
        return None


def prior_combiner(prior: Prior, examples: Sequence[Example] = ()) -> Combiner:
    """Return the shipped weights as a combiner: frozen, so no label has shaped its score.

    Args:
        prior: The shipped prior.
        examples: Answers whose patterns count as seen; their labels are not read.

    Returns:
        The combiner; `Scored.was_seen` is False for patterns that no example has.

    Example:
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> one = Example(values={"answer_agreement": 0.8}, n_samples=5, is_right=True)
        >>> prior_combiner(load_prior(), [one]).seen
        (('answer_agreement',),)
    """
    patterns = _by_pattern(prior, examples)
    return Combiner(source=prior.name, patterns=prior.patterns, seen=tuple(sorted(patterns)))


def fit_combiner(prior: Prior, examples: Sequence[Example]) -> Combiner:
    """Return a combiner fitted on labels, pulled towards the shipped weights.

    A logistic regression for each pattern of strong signals, with a Gaussian prior centred on the
    shipped coefficients and no negative weight. Few labels leave the shipped weights in place.

    Args:
        prior: The shipped prior.
        examples: Labelled answers. Calibrate on others, or on scores made out of fold: on these
            the scores look better than they are.

    Returns:
        The combiner. A pattern with fewer than 30 examples keeps the shipped coefficients.

    Raises:
        NotConverged: The optimum was not reached (not seen with this prior).

    Source:
        MAP logistic regression as in `stats.logistic.fit_logistic`; the centring is our own.

    Example:
        >>> from uncertain_llm.calibration.prior import load_prior
        >>> few = [Example(values={"answer_agreement": 0.8}, n_samples=5, is_right=True)]
        >>> fit_combiner(load_prior(), few).patterns == load_prior().patterns
        True
    """
    own_centres = _own_centres(examples)
    fitted: list[Pattern] = []
    own_weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
    found = _by_pattern(prior, examples)
    for pattern in prior.patterns:
        rows = found.get(pattern.strong, [])
        if len(rows) < _LEAST_ROWS:
            fitted.append(pattern)
            continue
        fit, weights = _fit_pattern(pattern, rows, own_centres)
        fitted.append(fit)
        for signal, weight in weights.items():
            own_weights[signal].append((len(rows), weight))
    own = {
        signal: (_weighted_mean(found_weights), own_centres[signal])
        for signal, found_weights in sorted(own_weights.items())
    }
    return Combiner(source="fitted", patterns=tuple(fitted), seen=tuple(sorted(found)), own=own)


def _by_pattern(prior: Prior, examples: Sequence[Example]) -> dict[tuple[str, ...], list[Example]]:
    found: dict[tuple[str, ...], list[Example]] = defaultdict(list)
    names = {frozenset(p.strong): p.strong for p in prior.patterns}
    for example in examples:
        name = names.get(frozenset(s for s in _STRONG if s in example.values))
        # The look of a question alone ranks a little; it is no ground for a probability.
        if name:
            found[name].append(example)
    return dict(found)


def _fit_pattern(
    pattern: Pattern, examples: Sequence[Example], own_centres: Mapping[str, float]
) -> tuple[Pattern, dict[str, float]]:
    # Imported where it fits: reading a fitted file must not cost a client the import of numpy.
    import numpy as np

    from uncertain_llm.stats.logistic import fit_logistic

    # A weak signal that the shipped model weighs with nothing may still be worth something here.
    signals = [s for s in feature_names() if s in pattern.strong or s not in _STRONG]
    own = sorted(own_centres)
    columns = [
        [features_of(e.values, e.n_samples).get(s, 0.0) for s in signals]
        + [_own_feature(e.values[s]) - own_centres[s] if s in e.values else 0.0 for s in own]
        + [math.log(max(e.n_samples, 1)), 1.0]
        for e in examples
    ]
    mean = [pattern.weights.get(s, 0.0) for s in signals] + [0.0] * len(own)
    sd = [_SD_STRONG if s in pattern.strong else _SD_WEAK for s in signals] + [_SD_OWN] * len(own)
    fit = fit_logistic(
        np.array(columns),
        np.array([e.is_right for e in examples], dtype=np.float64),
        prior_mean=[*mean, pattern.per_log_samples, pattern.intercept],
        prior_precision=1.0
        / np.square([*sd, _SD_PER_LOG_SAMPLES, math.sqrt(1.0 + pattern.variance)]),
        nonnegative=[True] * len(mean) + [False, False],
    )
    found = [float(c) for c in fit.coefficients]
    weights = {s: round(w, 6) for s, w in zip(signals, found, strict=False) if w > 0.0}
    model = Pattern(
        strong=pattern.strong,
        weights=weights,
        intercept=round(found[-1], 6),
        per_log_samples=round(found[-2], 6),
        variance=0.0,
    )
    n = len(signals)
    return model, {s: round(w, 6) for s, w in zip(own, found[n:-2], strict=True)}


def _own_centres(examples: Sequence[Example]) -> dict[str, float]:
    features: dict[str, list[float]] = defaultdict(list)
    for example in examples:
        for signal, value in example.values.items():
            if signal not in _KNOWN:
                features[signal].append(_own_feature(value))
    return {signal: round(math.fsum(found) / len(found), 6) for signal, found in features.items()}


def _own_feature(value: float) -> float:
    inside = _OWN_EDGE + (1.0 - 2.0 * _OWN_EDGE) * value
    return math.log(inside / (1.0 - inside))


def _weighted_mean(found: Sequence[tuple[int, float]]) -> float:
    total = sum(n for n, _ in found)
    return round(sum(n * weight for n, weight in found) / total, 6)
