"""What waves save through `fit` and `assess` themselves, on questions that were not fitted on.

    python benchmarks/adaptive_fit.py --data ../shared/data

`adaptive.py` compares rules with a calibrator of their own for each. This goes the way that a user
goes: half of the questions of each recorded set are fitted on (30 % of them teach the rule), the
policy with its fitted file decides on the other half. Costs are those of `adaptive.py`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from adaptive import (
    ABSTAIN,
    FRICTION,
    HEDGED_WRONG,
    LEFT_OUT,
    MIN_QUESTIONS,
    N_DRAWS,
    N_MAX,
    PRICE,
    RESIDUAL,
    SEED,
    TASKS,
    VERIFY,
    WRONG,
    Floats,
)

from uncertain_llm.core.decision import Action
from uncertain_llm.core.errors import NotEnoughLabels
from uncertain_llm.evaluation.assess_offline import Assessor
from uncertain_llm.evaluation.dataset import read_labels, read_lines, read_rows
from uncertain_llm.evaluation.fit import FitOrder, fit
from uncertain_llm.evaluation.fit_rows import rows_from_recordings
from uncertain_llm.evaluation.lines import BadLine, input_files
from uncertain_llm.policy import Costs, Decide, Policy, Sampling
from uncertain_llm.storage.calibration_files import save_calibration
from uncertain_llm.storage.policy_files import load_policy

COSTS = Costs(
    wrong=WRONG,
    hedge=FRICTION,
    hedged_wrong_share=HEDGED_WRONG,
    verify=VERIFY,
    verified_wrong_share=RESIDUAL,
    abstain=ABSTAIN,
)
DECIDE = Decide(costs=COSTS)
WAVES = Sampling(samples=N_MAX, mode="waves", reply_price=PRICE)
VARIANTS = {
    "5 replies, fitted": (Policy(name="five", sampling=Sampling(samples=5), decide=DECIDE), True),
    "3 replies, fitted": (Policy(name="three", sampling=Sampling(samples=3), decide=DECIDE), True),
    "waves, the prior's table": (Policy(name="waves", sampling=WAVES, decide=DECIDE), False),
    "waves, fitted": (Policy(name="waves", sampling=WAVES, decide=DECIDE), True),
}
BASE = "5 replies, fitted"
Outcome = tuple[Floats, Floats]
"""Of each question: what the decision lost, and replies."""


def sets_in(paths: Sequence[Path]) -> Iterator[tuple[str, list[str]]]:
    """Yield the name and the lines of each recorded set with 8 or more replies to a question."""
    found = defaultdict(list)
    for row in read_lines(input_files(paths)):
        if isinstance(row, BadLine) or row.get("task") not in TASKS:
            continue
        samples = row.get("samples")
        if row.get("dataset") in LEFT_OUT or not isinstance(samples, list) or len(samples) < 8:
            continue
        if any(sample.get("correct") is None for sample in samples):
            continue
        found[f"{row.get('dataset')} / {row.get('model')}"].append(json.dumps(row))
    yield from (
        (name, lines) for name, lines in sorted(found.items()) if len(lines) >= MIN_QUESTIONS
    )


def outcomes(lines: Sequence[str], folder: Path) -> dict[str, Outcome]:
    """Return what each variant loses and asks for, on the half that nothing was fitted on."""
    order = np.random.default_rng(SEED).permutation(len(lines))
    train, test = folder / "train.jsonl", folder / "test.jsonl"
    train.write_text("\n".join(lines[i] for i in order[::2]) + "\n")
    test.write_text("\n".join(lines[i] for i in order[1::2]) + "\n")
    found = {}
    for name, (policy, is_fitted) in VARIANTS.items():
        chosen = fitted(policy, train) if is_fitted else policy
        found[name] = judged(Assessor(chosen, n_samples=policy.sampling.samples), test)
    return found


def fitted(policy: Policy, train: Path) -> Policy:
    """Return the policy with what `fit` makes of the labels."""
    rows = rows_from_recordings([train], policy, n_samples=policy.sampling.samples)
    path = train.with_name("fitted.json")
    save_calibration(fit(rows, policy, FitOrder()), path)
    return load_policy(path)


def judged(assessor: Assessor, test: Path) -> Outcome:
    """Return what the decisions on each row lose, and the replies they took."""
    loss, replies = [], []
    for row, labels in zip(read_rows([test]), read_labels([test]), strict=True):
        if isinstance(row, BadLine):
            raise TypeError(row)
        found = assessor.assess(row)
        # An answer that nothing could be read of is withheld or wrong.
        wrong = not labels.of(found.representative)
        action = found.decision.action
        loss.append(ABSTAIN if action is Action.ABSTAIN else COSTS.losses(1.0 - wrong)[action])
        replies.append(len(found.evidence.samples))
    return np.asarray(loss), np.asarray(replies, dtype=float)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    given = parser.parse_args()
    if not given.data.exists():
        print(f"skipped: there are no recordings in {given.data}")
        return 0
    tables = []
    for name, lines in sets_in([given.data]):
        with tempfile.TemporaryDirectory() as folder:
            try:
                tables.append(outcomes(lines, Path(folder)))
            except NotEnoughLabels as error:
                print(f"left out: {name}: {error}")
    n = sum(len(table[BASE][0]) for table in tables)
    print(f"{len(tables)} recorded sets, {n} questions that nothing was fitted on\n")
    print(f"{'policy':26} {'loss':>6} {'calls':>6} {'total':>6}  total, less that of {BASE} (95 %)")
    rng = np.random.default_rng(SEED)
    draws = [
        [rng.integers(0, len(t[BASE][0]), len(t[BASE][0])) for t in tables] for _ in range(N_DRAWS)
    ]
    for name in VARIANTS:
        loss, calls = (float(np.mean([t[name][i].mean() for t in tables])) for i in (0, 1))
        less = [total(t[name]) - total(t[BASE]) for t in tables]
        means = [np.mean([d[i].mean() for d, i in zip(less, draw, strict=True)]) for draw in draws]
        low, high = np.quantile(means, [0.025, 0.975])
        middle = float(np.mean([d.mean() for d in less]))
        print(
            f"{name:26} {loss:6.3f} {calls:6.2f} {loss + PRICE * calls:6.3f}  "
            f"{middle:+.3f} [{low:+.3f}, {high:+.3f}]"
        )
    return 0


def total(found: Outcome) -> Floats:
    """Return loss and price of the replies, of each question."""
    return found[0] + PRICE * found[1]


if __name__ == "__main__":
    sys.exit(main())
