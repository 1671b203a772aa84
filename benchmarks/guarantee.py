"""Check the certificate on recorded sets: how often it is broken, and how much it lets through.

    python benchmarks/guarantee.py --data ../shared/data [--resplits 1000] [--samples 5]

Each recorded set is taken as the whole population. A resplit draws n labels from it; the scores of
the others, without labels, give the candidate thresholds. A promise is broken when the risk over
the whole set at the certified threshold exceeds alpha. Coverage is told as a share of the oracle's:
the lowest threshold that keeps alpha on the whole set. Nothing of the recordings is kept.

Two ceilings tell what is left to win. Every threshold gets a test of its own at all of delta, and
the laxest of the safe ones that pass is taken: first by the exact test, then by the most powerful
one, which draws lots where an exact test has to waste a part of delta. That is no valid rule, since
it tests many times and knows which thresholds are safe; no rule that goes by how many labels above
a threshold are wrong lets more through, whichever thresholds it tests, and in whichever order.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from labelled_sets import N_SAMPLES, LabelledSet, read_sets

from uncertain_llm.policy.certify import LabelledScores, Promise, certify
from uncertain_llm.stats.selection import CertifiedThreshold, certify_threshold
from uncertain_llm.stats.selection_other import plug_in_threshold, sgr_threshold
from uncertain_llm.stats.selection_plan import Start, threshold_grid

DELTA = 0.1
SIZES = (200, 500, 1000)
ALPHAS = (0.1, 0.05)
SPARE = 1.15  # rows a set must have for each label drawn, so that some traffic is left over
LEAST_ORACLE = 0.02  # oracle coverage below which a share of it means nothing

Rule = Callable[[LabelledScores, float, np.random.Generator], float | None]


def ours(items: LabelledScores, alpha: float, rng: np.random.Generator) -> float | None:
    """`fit --alpha` with unlabelled traffic."""
    promise = Promise(band="answer", alpha=alpha)
    bands, _, _ = certify(items, [promise], delta=DELTA, rng=rng, advise=False)
    return bands[0].threshold if bands else None


def ours_split(items: LabelledScores, alpha: float, rng: np.random.Generator) -> float | None:
    """`fit --alpha` without unlabelled traffic: a fifth of the labels sets the thresholds."""
    return ours(LabelledScores(items.scores, items.losses, np.empty(0)), alpha, rng)


def plain_sequence(items: LabelledScores, alpha: float, rng: np.random.Generator) -> float | None:
    """One fixed sequence with Clopper-Pearson, as in SCIENCE 5a."""
    del rng
    start = Start(3.0 if items.scores.size >= 300 else 2.0, 1.0)
    grid = threshold_grid(items.reference)
    found = certify_threshold(
        items.scores,
        items.losses,
        grid=grid,
        alpha=alpha,
        delta=DELTA,
        starts=(start,),
        advise=False,
    )
    return found.threshold if isinstance(found, CertifiedThreshold) else None


def sgr(items: LabelledScores, alpha: float, rng: np.random.Generator) -> float | None:
    """Selective Guaranteed Risk of Geifman and El-Yaniv (2017)."""
    del rng
    found = sgr_threshold(items.scores, items.losses, alpha=alpha, delta=DELTA)
    return found.threshold if isinstance(found, CertifiedThreshold) else None


def plug_in(items: LabelledScores, alpha: float, rng: np.random.Generator) -> float | None:
    """The threshold that looks good on the labels, without any bound."""
    del rng
    return plug_in_threshold(items.scores, items.losses, alpha=alpha)


RULES: dict[str, Rule] = {
    "ours": ours,
    "ours, split": ours_split,
    "plain sequence": plain_sequence,
    "SGR": sgr,
    "plug-in": plug_in,
}


class Outcome:
    """What one rule did on one set over all resplits."""

    def __init__(self) -> None:
        self.shares: list[float] = []
        self.n_broken = 0
        self.n_none = 0


class Ceilings:
    """What the best tests would let through, for one set and number of labels."""

    def __init__(self, scores: np.ndarray, losses: np.ndarray, n_labels: int, alpha: float) -> None:
        levels, self._level = np.unique(-scores, return_inverse=True)  # the strictest first
        self._n_levels = levels.size
        counts, wrong = self._sums(self._level, losses)
        self._coverages, self._losses = counts / scores.size, losses
        self._is_safe = wrong <= alpha * counts + 1e-9
        self._most_wrong, self._chance = best_test(n_labels, alpha)
        self._exact: list[float] = []
        self._drawn_by_lot: list[float] = []

    def add(self, drawn: np.ndarray, lot: float) -> None:
        """Count one draw of labels; the lot, uniform in [0, 1], decides where counts are even."""
        counts, wrong = self._sums(self._level[drawn], self._losses[drawn])
        over = wrong - self._most_wrong[counts]
        for found, passes in (
            (self._exact, over <= 0),
            (self._drawn_by_lot, (over <= 0) | ((over == 1) & (lot < self._chance[counts]))),
        ):
            good = passes & self._is_safe
            found.append(float(self._coverages[good].max(initial=0.0)))

    @property
    def means(self) -> tuple[float, float]:
        """Mean coverage of the laxest safe threshold whose own test passes, without and by lot."""
        return float(np.mean(self._exact)), float(np.mean(self._drawn_by_lot))

    def _sums(self, levels: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        counts = np.bincount(levels, minlength=self._n_levels)
        wrong = np.bincount(levels, weights=losses, minlength=self._n_levels)
        return np.cumsum(counts), np.rint(np.cumsum(wrong))


def best_test(n_labels: int, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the most powerful test of "the risk exceeds alpha" at level delta, for 0 to n labels.

    So many errors pass for sure (-1: none), and one error more passes with the chance that uses up
    delta: a test without a lot has to waste what lies between two counts.

    Source:
        Lehmann and Romano (2005), Testing Statistical Hypotheses, corollary 3.4.1.
    """
    from scipy.stats import binom

    trials = np.arange(n_labels + 1)
    most = binom.ppf(DELTA, trials, alpha) - 1  # ppf is the least count whose tail exceeds delta
    most = np.where(binom.cdf(most + 1, trials, alpha) <= DELTA, most + 1, most)
    most[0] = -1
    left = DELTA - np.where(most < 0, 0.0, binom.cdf(most, trials, alpha))
    return most, np.minimum(left / binom.pmf(most + 1, trials, alpha), 1.0)


def measure(
    found: LabelledSet, n_labels: int, alpha: float, n_resplits: int
) -> tuple[dict[str, Outcome], tuple[float, float] | None]:
    """Return each rule's outcome, and both ceilings as shares of the oracle's coverage.

    The ceilings are None, and no share is kept, where the oracle lets next to nothing through.
    """
    scores, losses = found.scores, 1.0 - found.right
    oracle = plug_in_threshold(scores, losses, alpha=alpha)
    best = 0.0 if oracle is None else float((scores >= oracle).mean())
    rng = np.random.default_rng(20261123)
    lots = np.random.default_rng(20261127)
    outcomes = {name: Outcome() for name in RULES}
    ceilings = Ceilings(scores, losses, n_labels, alpha)
    for _ in range(n_resplits):
        order = rng.permutation(scores.size)
        drawn, rest = order[:n_labels], order[n_labels:]
        ceilings.add(drawn, lots.random())
        items = LabelledScores(scores[drawn], losses[drawn], scores[rest])
        for name, rule in RULES.items():
            threshold = rule(items, alpha, rng)
            outcome = outcomes[name]
            if threshold is None:
                outcome.n_none += 1
                outcome.shares.append(0.0)
                continue
            inside = scores >= threshold
            outcome.n_broken += bool(losses[inside].mean() > alpha + 1e-12)
            outcome.shares.append(float(inside.mean()) / best if best >= LEAST_ORACLE else 0.0)
    if best < LEAST_ORACLE:
        for outcome in outcomes.values():
            outcome.shares = []
        return outcomes, None
    exact, by_lot = ceilings.means
    return outcomes, (exact / best, by_lot / best)


def report(sets: list[LabelledSet], n_labels: int, alpha: float, n_resplits: int) -> bool:
    """Print one table; return whether no set breaks the promise more often than delta allows."""
    from scipy.stats import binom

    chosen = [s for s in sets if s.scores.size >= SPARE * n_labels]
    measured = {s.name: measure(s, n_labels, alpha, n_resplits) for s in chosen}
    print(f"\nalpha {alpha:.0%}, delta {DELTA:.0%}, n = {n_labels}: {len(chosen)} sets")
    if not chosen:
        return True
    holds = True
    for rule in RULES:
        outcomes = {name: found[rule] for name, (found, _) in measured.items()}
        shares = [float(np.mean(o.shares)) for o in outcomes.values() if o.shares]
        worst = max(outcomes, key=lambda name: outcomes[name].n_broken)
        n_broken = outcomes[worst].n_broken
        # P(so many or more broken | exactly delta): small means the promise does not hold.
        tail = float(binom.sf(n_broken - 1, n_resplits, DELTA))
        none = np.mean([o.n_none for o in outcomes.values()]) / n_resplits
        print(
            f"  {rule:<15} coverage {_mean(shares)} of the oracle's ({len(shares)} sets with an "
            f"oracle); none certified {none:.0%}; broken at most {n_broken / n_resplits:.1%} "
            f"({worst}; tail {tail:.3f})"
        )
        if rule.startswith("ours"):
            holds = holds and tail >= 0.01 / len(outcomes)
    known = {name: both for name, (_, both) in measured.items() if both is not None}
    for place, words in enumerate(("exact tests at all of delta", "the same with lots")):
        print(f"  ceiling: {words}: {_mean([both[place] for both in known.values()])}")
    for name, both in known.items():
        ours = np.mean(measured[name][0]["ours"].shares)
        print(f"    {name:<45} ours {ours:.2f}, ceilings {both[0]:.2f} and {both[1]:.2f}")
    return holds


def _mean(shares: list[float]) -> str:
    return f"{np.mean(shares):.2f}" if shares else "-"


def main() -> int:
    """Measure all sizes and risks; exit code 1 when a certificate is broken too often."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--resplits", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=N_SAMPLES, help="replies of each row")
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"no recordings at {args.data}: nothing to measure, skipped")
        return 0
    sets = read_sets(args.data, n_samples=args.samples)
    print(f"{len(sets)} sets of {args.samples} replies, {args.resplits} resplits each")
    good = [report(sets, n, alpha, args.resplits) for alpha in ALPHAS for n in SIZES]
    print("\nevery certificate held" if all(good) else "\nA CERTIFICATE WAS BROKEN TOO OFTEN")
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
