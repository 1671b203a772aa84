"""Rows per second of clustering and agreement on 10 short samples, beside two peers.

    python benchmarks/assess_speed.py                                  # ours alone
    PYTHONPATH=. ENV_DIR/bin/python benchmarks/assess_speed.py         # beside the peers

`benchmarks/peers/make_env.sh ENV_DIR` builds the second environment. The samples are made here:
no recording is needed. Equal work means: the same strings in, one agreement score per row out.
Seconds are those of the CPU: a peer that sleeps between the frames of its progress bar is not slow.
No row comes twice, neither to one system nor to another.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence

from uncertain_llm.core.confidence import Evidence, Sample
from uncertain_llm.evaluation.assess_offline import AnswerMode, Assessor
from uncertain_llm.evaluation.dataset import RecordedRow, RowKey
from uncertain_llm.flow.evidence import evidence_from
from uncertain_llm.policy import AnswerChoice
from uncertain_llm.signals.agreement import AnswerAgreement
from uncertain_llm.storage.policy_files import load_policy

N_SAMPLES = 10
REPEATS = 5
SEED = 20261101
_SEEDS = itertools.count(SEED)

Row = tuple[str, ...]

_PLACES = ("Lisbon", "Porto", "the city of Braga", "Coimbra", "Faro.", "New Orleans", "St. Ives")
_PEOPLE = ("Ada Bell", "A. Bell", "Tomas Lind", "Okafor, Ruiz", "the sisters Mora", "dr. Ines Vale")


def make_rows(n_rows: int, seed: int) -> list[Row]:
    """Return rows of short answers: places, people, years and amounts, more or less agreed upon."""
    rng = random.Random(seed)
    return [_make_row(rng) for _ in range(n_rows)]


def _make_row(rng: random.Random) -> Row:
    # A number of its own keeps rows apart, as the rows of a recording are: no memory of an
    # earlier row helps.
    own = rng.randrange(10**7)
    kind = rng.randrange(4)
    if kind == 0:
        choices: Sequence[str] = [f"{place} {own}" for place in rng.sample(_PLACES, 3)]
    elif kind == 1:
        choices = [f"{person} {own}" for person in rng.sample(_PEOPLE, 3)]
    elif kind == 2:
        choices = (f"May {own}", f"in May {own}", f"June {own}")
    else:
        choices = (f"{own} dollars", f"${own}", f"{own + rng.randrange(1, 9)}")
    return tuple(rng.choices(choices, weights=(6, 3, 1), k=N_SAMPLES))


def ours_agreement(rows: Sequence[Row]) -> list[float]:
    """Cluster and measure agreement, nothing else: the peers' share of the work."""
    signal = AnswerAgreement()
    found = []
    for row in rows:
        samples = [Sample(answer=text) for text in row]
        evidence: Evidence = evidence_from(
            samples,
            question=None,
            task=None,
            choice=AnswerChoice.MAJORITY,
            n_requested=N_SAMPLES,
        )
        found.append(signal.measure(evidence).value or 0.0)
    return found


def ours_assess(rows: Sequence[Row]) -> list[float]:
    """Do all that `uncertain-llm assess` does with a row, reading and writing files apart."""
    assessor = Assessor(load_policy("balanced"), answer=AnswerMode.MAJORITY)
    found = []
    for place, row in enumerate(rows):
        samples = tuple(Sample(answer=text) for text in row)
        key = RowKey("made", "none", str(place))
        recorded = RecordedRow(key, None, None, None, samples, None)
        found.append(assessor.assess(recorded).confidence.score or 0.0)
    return found


def peers() -> dict[str, Callable[[Sequence[Row]], object]]:
    """Return the peers' calls, empty where they are not installed."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    try:
        from lm_polygraph.estimators import DegMat
        from uqlm.black_box import MatchScorer
    except ImportError:
        return {}
    degree = DegMat(similarity_score="Jaccard_score")

    def exact(rows: Sequence[Row]) -> object:
        return MatchScorer().evaluate([r[0] for r in rows], [list(r[1:]) for r in rows])

    def jaccard(rows: Sequence[Row]) -> object:
        return degree({"sample_texts": [list(r) for r in rows]})

    return {"uqlm exact match": exact, "lm-polygraph DegMat Jaccard": jaccard}


def rows_per_second(work: Callable[[Sequence[Row]], object], n_rows: int) -> float:
    """Return the median over repeats, each on rows that nobody has seen before."""
    work(make_rows(max(1, n_rows // 20), next(_SEEDS)))
    spent = []
    for _ in range(REPEATS):
        rows = make_rows(n_rows, next(_SEEDS))
        start = time.process_time()
        work(rows)
        spent.append(time.process_time() - start)
    return n_rows / statistics.median(spent)


def peak_kilobytes(work: Callable[[Sequence[Row]], object], rows: Sequence[Row]) -> float:
    """Return the largest amount of memory held while the rows go through one by one."""
    tracemalloc.start()
    for row in rows:
        work([row])
    peak = tracemalloc.get_traced_memory()[1] / 1024
    tracemalloc.stop()
    return peak


def main() -> int:
    """Print rows per second of everything that is installed, for two sizes, and our memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=2000)
    args = parser.parse_args()
    few, many = args.rows // 4, args.rows
    systems = {
        "uncertain_llm cluster + agreement": ours_agreement,
        "uncertain_llm assess (all of it)": ours_assess,
        **peers(),
    }
    print(f"| {N_SAMPLES} short samples a row | {few} rows | {many} rows |")
    print("|---|---|---|")
    for name, work in systems.items():
        speeds = [f"{rows_per_second(work, n):,.0f}" for n in (few, many)]
        print(f"| {name}, rows per second | {' | '.join(speeds)} |")
    peaks = [f"{peak_kilobytes(ours_assess, make_rows(n, SEED)):,.0f}" for n in (few, many)]
    print(f"| uncertain_llm assess, peak kB | {' | '.join(peaks)} |")
    if len(systems) == 2:
        print("\nThe peers are not installed here: see benchmarks/peers/make_env.sh")
    return 0


if __name__ == "__main__":
    sys.exit(main())
