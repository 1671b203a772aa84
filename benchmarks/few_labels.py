"""Measure calibration from few labels, beside Platt and isotonic in the form that uqlm has them.

    python benchmarks/few_labels.py --data ../shared/data [--draws 20]

Labels are drawn at random from each recorded set; all methods get the same ones and are judged on
the rest. The baselines calibrate the shipped score: a logistic regression on the raw score with
scikit-learn's default penalty, and isotonic regression clipped outside (uqlm 0.6.7,
`ScoreCalibrator`). Nothing of the recordings is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
from labelled_sets import LabelledSet, read_sets
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from uncertain_llm.calibration.fitting import fit_estimator
from uncertain_llm.calibration.prior import load_prior
from uncertain_llm.core.confidence import Measurement
from uncertain_llm.stats.calibration_error import smooth_ece
from uncertain_llm.stats.logistic import fit_platt
from uncertain_llm.stats.metrics import log_loss

SIZES = (20, 50, 100, 300, 1000)
LEAST_REST = 200
MOST_REST = 1000
CLIP = 1e-4  # the same for all: isotonic claims 0 and 1, which would cost infinitely much
TOLERANCE = 0.001  # of log loss: below it, "worse" is noise of the draws

Method = Callable[[LabelledSet, np.ndarray, np.ndarray], np.ndarray]


def ours(found: LabelledSet, drawn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """`uncertain-llm fit`: weights, method and map chosen on the labels drawn."""
    examples = [found.examples[i] for i in drawn]
    estimator = fit_estimator(load_prior(), examples, seed=0).estimator
    out = []
    for i in rest:
        example = found.examples[i]
        measured = [Measurement(signal=s, value=v) for s, v in example.values.items()]
        probability = estimator.estimate(measured, n_samples=example.n_samples).probability
        out.append(0.5 if probability is None else probability)
    return np.array(out)


def our_platt(found: LabelledSet, drawn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Prior-centred Platt scaling at every number of labels."""
    return fit_platt(found.scores[drawn], found.right[drawn]).predict(found.scores[rest])


def platt(found: LabelledSet, drawn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """A logistic regression on the raw score, as in uqlm."""
    right = found.right[drawn]
    if right.min() == right.max():
        return np.full(rest.size, right.mean())
    model = LogisticRegression().fit(found.scores[drawn].reshape(-1, 1), right)
    return np.asarray(model.predict_proba(found.scores[rest].reshape(-1, 1))[:, 1])


def isotonic(found: LabelledSet, drawn: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Isotonic regression, clipped outside, as in uqlm."""
    model = IsotonicRegression(out_of_bounds="clip").fit(found.scores[drawn], found.right[drawn])
    return np.asarray(model.predict(found.scores[rest]))


METHODS: dict[str, Method] = {
    "ours": ours,
    "our Platt": our_platt,
    "uqlm's Platt": platt,
    "uqlm's isotonic": isotonic,
}


def measure(found: LabelledSet, n_labels: int, n_draws: int) -> dict[str, tuple[float, float]]:
    """Return each method's mean smooth ECE and log loss over draws."""
    rng = np.random.default_rng(20261123)
    sums: dict[str, list[tuple[float, float]]] = defaultdict(list)
    floors = []
    for _ in range(n_draws):
        order = rng.permutation(found.right.size)
        drawn, rest = order[:n_labels], order[n_labels : n_labels + MOST_REST]
        right = found.right[rest]
        for name, method in METHODS.items():
            stated = np.clip(method(found, drawn, rest), 0.0, 1.0)
            loss = log_loss(np.clip(stated, CLIP, 1.0 - CLIP), right)
            sums[name].append((smooth_ece(stated, right), loss))
            if name == "ours":
                floors.append(_noise(stated, rng))
    means = {name: tuple(np.mean(values, axis=0)) for name, values in sums.items()}
    return {**means, "noise": (float(np.mean(floors)), 0.0)}  # type: ignore[dict-item] # pairs


def _noise(stated: np.ndarray, rng: np.random.Generator) -> float:
    """Return the smooth ECE that perfectly calibrated probabilities would show on these rows."""
    drawn = [smooth_ece(stated, (rng.random(stated.size) < stated) * 1.0) for _ in range(5)]
    return float(np.mean(drawn))


def report(sets: list[LabelledSet], n_labels: int, n_draws: int) -> None:
    """Print one table over all sets with enough rows."""
    chosen = [s for s in sets if s.right.size >= n_labels + LEAST_REST]
    found = {s.name: measure(s, n_labels, n_draws) for s in chosen}
    print(f"\nn = {n_labels}: {len(chosen)} sets, {n_draws} draws each")
    for name in METHODS:
        error, loss = np.mean([line[name] for line in found.values()], axis=0)
        print(f"  {name:<16} smooth ECE {error:.4f}  log loss {loss:.4f}")
    floor = np.mean([line["noise"][0] for line in found.values()])
    print(f"  smooth ECE of perfect probabilities on as many rows: {floor:.4f}")
    worse = {
        name: line["ours"][1] - min(line["uqlm's Platt"][1], line["uqlm's isotonic"][1])
        for name, line in found.items()
    }
    bad = {name: gap for name, gap in worse.items() if gap > TOLERANCE}
    print(f"  log loss worse than the better of uqlm's two on {len(bad)} sets")
    for name, gap in sorted(bad.items()):
        print(f"    {name} by {gap:.4f}")


def main() -> int:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=20)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"no recordings at {args.data}: nothing to measure, skipped")
        return 0
    sets = read_sets(args.data)
    for n_labels in args.sizes:
        report(sets, n_labels, args.draws)
    return 0


if __name__ == "__main__":
    sys.exit(main())
