"""Measure calibration from few labels, beside Platt and isotonic in the form that uqlm has them.

    python benchmarks/few_labels.py --data ../shared/data [--draws 60] [--write-docs]

Labels are drawn at random from each recorded set; all methods get the same ones and are judged on
the rest. The baselines calibrate the shipped score: a logistic regression on the raw score with
scikit-learn's default penalty, and isotonic regression clipped outside (uqlm 0.6.7,
`ScoreCalibrator`). Two lines are simulated on the same rows, to say what is possible there: perfect
probabilities, and the set's own curve with only its level fitted to the labels. Nothing of the
recordings is kept.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
from labelled_sets import LabelledSet, read_sets
from pages import write_blocks
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from uncertain_llm.calibration.fitting import fit_estimator
from uncertain_llm.calibration.prior import load_prior
from uncertain_llm.core.confidence import Measurement
from uncertain_llm.stats.calibration_error import debiased_ece
from uncertain_llm.stats.isotonic import fit_isotonic
from uncertain_llm.stats.links import log_odds
from uncertain_llm.stats.logistic import fit_logistic
from uncertain_llm.stats.metrics import log_loss
from uncertain_llm.stats.smooth_error import smooth_ece

SIZES = (20, 50, 100, 300, 1000)
LEAST_REST = 200
MOST_REST = 1000
CLIP = 1e-4  # the same for all: isotonic claims 0 and 1, which would cost infinitely much
TOLERANCE = 0.001  # of log loss: below it, "worse" is noise of the draws
RESAMPLES = 2000
FIGURES = ("smooth ECE", "debiased ECE", "log loss")
PERFECT, LEVEL_ONLY = "perfect probabilities", "the true curve, level fitted"

Method = Callable[[LabelledSet, np.ndarray, np.ndarray], np.ndarray]
Measured = Mapping[str, np.ndarray]
"""By line: shape (draws, figures)."""


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


METHODS: dict[str, Method] = {"fit": ours, "uqlm's Platt": platt, "uqlm's isotonic": isotonic}
LINES = (*METHODS, LEVEL_ONLY, PERFECT)


def measure(found: LabelledSet, n_labels: int, n_draws: int) -> Measured:
    """Return each line's figures for each draw of labels."""
    rng = np.random.default_rng(20261123)
    truth = np.clip(fit_isotonic(found.scores, found.right).predict(found.scores), 0.01, 0.99)
    rows: dict[str, list[tuple[float, ...]]] = {line: [] for line in LINES}
    for _ in range(n_draws):
        order = rng.permutation(found.right.size)
        drawn, rest = order[:n_labels], order[n_labels : n_labels + MOST_REST]
        for name, method in METHODS.items():
            stated = np.clip(method(found, drawn, rest), 0.0, 1.0)
            rows[name].append(_figures(stated, found.right[rest]))
            if name == "fit":
                rows[PERFECT].append(_when_true(stated, rng))
        labels = _labels(truth, rng)
        stated = level_fitted(truth, labels, drawn, rest)
        rows[LEVEL_ONLY].append(_figures(stated, labels[rest]))
    return {line: np.array(values) for line, values in rows.items()}


def level_fitted(
    truth: np.ndarray, labels: np.ndarray, drawn: np.ndarray, rest: np.ndarray
) -> np.ndarray:
    """Return the true probabilities of the rest, shifted in log odds to fit the labels drawn.

    One number has to be learnt, where every real method has to learn the curve as well: about the
    least error that so many labels leave.
    """
    design = np.column_stack([np.ones_like(truth), log_odds(truth)])
    fit = fit_logistic(
        design[drawn],
        labels[drawn],
        prior_mean=[0.0, 1.0],
        prior_precision=[1e-2, 1e9],  # holds the slope; the shift stays finite with one class only
    )
    return fit.predict(design[rest])


def interval_of(figures: Sequence[np.ndarray], rng: np.random.Generator) -> tuple[float, float]:
    """Return a 95 % bootstrap interval of the mean: sets drawn again, and draws within each.

    Args:
        figures: For each set one figure a draw.
        rng: Draws the resamples.
    """
    table = np.stack(figures)
    n_sets, n_draws = table.shape
    sets = rng.integers(n_sets, size=(RESAMPLES, n_sets, 1))
    draws = rng.integers(n_draws, size=(RESAMPLES, n_sets, n_draws))
    low, high = np.quantile(table[sets, draws].mean(axis=(1, 2)), [0.025, 0.975])
    return float(low), float(high)


def table_of(found: Mapping[str, Measured], n_labels: int) -> list[str]:
    """Return the rows of one number of labels: means over sets, with intervals."""
    lines = []
    for line in LINES:
        cells = []
        for column in range(len(FIGURES)):
            if line in (PERFECT, LEVEL_ONLY) and FIGURES[column] == "log loss":
                cells.append("")  # of other labels, so not to be compared
                continue
            values = [measured[line][:, column] for measured in found.values()]
            low, high = interval_of(values, np.random.default_rng(1))
            cells.append(f"{np.mean(values):.4f} [{low:.3f}, {high:.3f}]")
        first = f"{n_labels} ({len(found)} sets)" if line == LINES[0] else ""
        lines.append(f"| {first} | {line} | " + " | ".join(cells) + " |")
    return lines


def comparison_of(found: Mapping[str, Measured], n_labels: int) -> str:
    """Return how `fit` compares with the better of uqlm's two, set by set."""
    loss = FIGURES.index("log loss")
    better = {
        name: min(
            (measured[method][:, loss] for method in ("uqlm's Platt", "uqlm's isotonic")),
            key=lambda losses: float(np.mean(losses)),
        )
        for name, measured in found.items()
    }
    gaps = {name: measured["fit"][:, loss] - better[name] for name, measured in found.items()}
    low, high = interval_of(list(gaps.values()), np.random.default_rng(1))
    mean = float(np.mean(list(gaps.values())))
    worse = {name: float(np.mean(gap)) for name, gap in gaps.items() if gap.mean() > TOLERANCE}
    told = "; ".join(
        f"{name} by {gap:.4f} (standard error {_error(gaps[name]):.4f})"
        for name, gap in sorted(worse.items(), key=lambda item: -item[1])
    )
    return (
        f"| {n_labels} | {mean:+.4f} [{low:+.4f}, {high:+.4f}] "
        f"| {len(worse)} of {len(gaps)} | {told} |"
    )


def main() -> int:
    """Measure all sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=60)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--workers", type=int, default=2, help="processes; a set is one task")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into docs/")
    args = parser.parse_args()
    if args.draws < 2:
        parser.error("an interval needs at least two draws")
    if not args.data.is_dir():
        print(f"no recordings at {args.data}: nothing to measure, skipped")
        return 0
    sets = read_sets(args.data)
    figures = [f"| labels | | {' | '.join(FIGURES)} |", "|---" * (len(FIGURES) + 2) + "|"]
    worse = ["| labels | log loss less that of the better | worse on | which |", "|---" * 4 + "|"]
    for n_labels in args.sizes:
        chosen = [s for s in sets if s.right.size >= n_labels + LEAST_REST]
        if not chosen:
            print(f"no set has {LEAST_REST} rows beside {n_labels} labels")
            continue
        with ProcessPoolExecutor(args.workers) as pool:
            measured = pool.map(measure, chosen, repeat(n_labels), repeat(args.draws))
            found = dict(zip((s.name for s in chosen), measured, strict=True))
        figures += table_of(found, n_labels)
        worse.append(comparison_of(found, n_labels))
        print(f"{n_labels} labels: measured", file=sys.stderr, flush=True)
    blocks = {"few labels": "\n".join(figures), "few labels, log loss": "\n".join(worse)}
    print("\n\n".join(blocks.values()))
    if args.write_docs:
        print("wrote", ", ".join(write_blocks(blocks)) or "nothing new", file=sys.stderr)
    return 0


def _figures(stated: np.ndarray, right: np.ndarray) -> tuple[float, ...]:
    loss = log_loss(np.clip(stated, CLIP, 1.0 - CLIP), right)
    return smooth_ece(stated, right), debiased_ece(stated, right), loss


def _when_true(stated: np.ndarray, rng: np.random.Generator) -> tuple[float, ...]:
    """Return the figures that these probabilities would show if they were perfectly true."""
    drawn = [_figures(stated, _labels(stated, rng)) for _ in range(5)]
    return tuple(float(value) for value in np.mean(drawn, axis=0))


def _error(values: np.ndarray) -> float:
    return float(values.std(ddof=1) / np.sqrt(values.size))


def _labels(probabilities: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return (rng.random(probabilities.size) < probabilities) * 1.0


if __name__ == "__main__":
    sys.exit(main())
