"""How far a prior can be off, and how near any prior could come: band coverage and ceilings.

Everything is measured on families that the prior was not fitted on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt
from fit_prior import Example, family_of, intercept_shift, predict, raw_score

from uncertain_llm.calibration.prior import Prior
from uncertain_llm.stats.calibration_error import ece

Floats = npt.NDArray[np.float64]

BINS = 3  # of one dataset, model and sample count, by score
MIN_ROWS = 30  # of one dataset, model and sample count; below, a band proves little
MIN_OF_EACH = 15
SHOWN_COUNTS = (1, 2, 5, 10)
_LEVEL = 0.9
# Midpoints of equally likely parts of a standard normal: the shifts a new dataset may have.
_SHIFTS = np.array([NormalDist().inv_cdf((i + 0.5) / 201) for i in range(201)])


@dataclass(frozen=True)
class Claims:
    """What a prior says about the answers of one dataset and model that it never saw."""

    dataset: str
    n_samples: int
    log_odds: Floats
    probabilities: Floats
    raw: Floats
    """Agreement, the stated probability, or their mean: what one would use without a prior."""
    right: Floats
    variance: float


def claims_of(examples: Iterable[Example], priors: Mapping[str, Prior]) -> list[Claims]:
    """Return the claims per dataset, model and sample count, where there is a probability."""
    groups: dict[tuple[str, str, int, tuple[str, ...]], list[Example]] = defaultdict(list)
    for example in examples:
        if example.pattern:
            groups[example.dataset, example.model, example.n_samples, example.pattern].append(
                example
            )
    found = []
    for (dataset, _, n_samples, strong), mine in sorted(groups.items(), key=lambda g: g[0]):
        prior = priors[family_of(dataset)]
        pattern = next((p for p in prior.patterns if p.strong == strong), None)
        if pattern is None or len(mine) < MIN_ROWS:
            continue
        scores, probabilities = predict(prior, mine)
        found.append(
            Claims(
                dataset=dataset,
                n_samples=n_samples,
                log_odds=np.log(scores / (1 - scores)),
                probabilities=probabilities,
                raw=np.array([raw_score(e) for e in mine]),
                right=np.array([e.right for e in mine], dtype=np.float64),
                variance=pattern.variance,
            )
        )
    return found


def predicted_rank(log_odds: Floats, right: Floats, variance: float) -> float:
    """Return how likely so few right answers were: uniform in [0, 1] if the band is honest.

    The count of right answers is spread by the dataset's shift and by chance; both are in it, so
    that a small bin does not look like a bad band.
    """
    shifted = _sigmoid(log_odds[None, :] + np.sqrt(variance) * _SHIFTS[:, None])
    means = shifted.sum(axis=1)
    spreads = np.sqrt((shifted * (1 - shifted)).sum(axis=1)) + 1e-9
    standard = NormalDist()
    return float(
        np.mean([standard.cdf((right.sum() - m) / s) for m, s in zip(means, spreads, strict=True)])
    )


def coverage_table(claims: Sequence[Claims]) -> str:
    """Return how often a bin of answers was right as often as its band allows."""
    lines = [
        "| signals of the prior | bins | datasets | families | inside | right less often "
        "| right more often |",
        "|---|---|---|---|---|---|---|",
    ]
    single = [c for c in claims if c.n_samples == 1]
    lines.append(_coverage_line("one answer, stated probability", single))
    for n in sorted({c.n_samples for c in claims} - {1}):
        lines.append(_coverage_line(f"{n} replies", [c for c in claims if c.n_samples == n]))
    lines.append(_coverage_line("**all**", claims))
    return "\n".join(line for line in lines if line)


def _coverage_line(title: str, claims: Sequence[Claims]) -> str:
    if not claims:
        return ""
    ranks: dict[str, list[float]] = defaultdict(list)
    for one in claims:
        order = np.argsort(one.log_odds, kind="stable")
        for part in np.array_split(order, BINS):
            rank = predicted_rank(one.log_odds[part], one.right[part], one.variance)
            ranks[family_of(one.dataset)].append(rank)
    tail = (1 - _LEVEL) / 2

    def share(happened: Callable[[float], bool]) -> str:
        return f"{np.mean([np.mean([happened(r) for r in of]) for of in ranks.values()]):.2f}"

    cells = (
        title,
        sum(len(of) for of in ranks.values()),
        len({c.dataset for c in claims}),
        len(ranks),
        share(lambda r: tail <= r <= 1 - tail),
        share(lambda r: r < tail),
        share(lambda r: r > 1 - tail),
    )
    return f"| {' | '.join(str(cell) for cell in cells)} |"


def limits_table(claims: Sequence[Claims]) -> str:
    """Return mean (and worst) ECE over datasets of the prior beside what could be had at best."""
    counts = [n for n in SHOWN_COUNTS if any(c.n_samples == n for c in claims)]
    merged = {n: _by_dataset(claims, n) for n in counts}
    lines = [
        f"| probability | {' | '.join(f'{n}' for n in counts)} |",
        f"|---|{'---|' * len(counts)}",
    ]
    ways: dict[str, Callable[[Claims, Sequence[Claims]], Floats]] = {
        "raw agreement, or what the model states": lambda one, _: one.raw,
        "one constant: mean accuracy of the other families": _constant,
        "the prior, family left out": lambda one, _: one.probabilities,
        "the prior, told the right intercept of each dataset": _told_intercept,
    }
    for name, way in ways.items():
        cells = []
        for n in counts:
            errors = [ece(way(one, merged[n]), one.right) for one in merged[n]]
            cells.append(f"{np.mean(errors):.3f} ({max(errors):.3f})")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    floors = []
    for n in counts:
        rng = np.random.default_rng(0)
        floor = [_error_by_chance(_told_intercept(one, ()), rng) for one in merged[n]]
        floors.append(f"{np.mean(floor):.3f} ({max(floor):.3f})")
    lines.append(f"| perfect: what chance alone shows on as many rows | {' | '.join(floors)} |")
    return "\n".join(lines)


def _by_dataset(claims: Iterable[Claims], n_samples: int) -> list[Claims]:
    """Join the models of each dataset, those with enough right and wrong rows."""
    kept: dict[str, list[Claims]] = defaultdict(list)
    for one in claims:
        right = one.right.sum()
        if one.n_samples == n_samples and min(right, len(one.right) - right) >= MIN_OF_EACH:
            kept[one.dataset].append(one)
    return [
        Claims(
            dataset=dataset,
            n_samples=n_samples,
            log_odds=np.concatenate([o.log_odds for o in ones]),
            probabilities=np.concatenate([o.probabilities for o in ones]),
            raw=np.concatenate([o.raw for o in ones]),
            right=np.concatenate([o.right for o in ones]),
            variance=ones[0].variance,
        )
        for dataset, ones in sorted(kept.items())
    ]


def _constant(one: Claims, others: Sequence[Claims]) -> Floats:
    rates: dict[str, list[float]] = defaultdict(list)
    for other in others:
        if family_of(other.dataset) != family_of(one.dataset):
            rates[family_of(other.dataset)].append(float(other.right.mean()))
    return np.full(len(one.right), np.mean([np.mean(of) for of in rates.values()]))


def _told_intercept(one: Claims, _: Sequence[Claims]) -> Floats:
    """Return probabilities with the shift that fits this dataset's own labels best."""
    return _sigmoid(one.log_odds + intercept_shift(one.log_odds, one.right)[0])


def _error_by_chance(probabilities: Floats, rng: np.random.Generator) -> float:
    draws = [(rng.random(len(probabilities)) < probabilities).astype(float) for _ in range(20)]
    return float(np.mean([ece(probabilities, drawn) for drawn in draws]))


def _sigmoid(x: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-x))
    return found
