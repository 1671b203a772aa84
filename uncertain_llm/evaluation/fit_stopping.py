"""When another reply is worth its price, from labels that serve for nothing else.

A rule that stops selects: answers reached after two replies are not those reached after five. So
the labels that calibrate and certify must be of answers reached by the very rule that runs. The
rule itself is learnt first, on questions set apart, and frozen in the fitted file; everything else
is then fitted on the others, in the states in which it stops.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise

from uncertain_llm.calibration.choosing import LEAST_LABELS
from uncertain_llm.calibration.smoothing import fit_smoother
from uncertain_llm.evaluation.dataset import RecordedRow
from uncertain_llm.flow.assess import read_sample
from uncertain_llm.flow.evidence import evidence_from
from uncertain_llm.flow.measure import estimate
from uncertain_llm.flow.pipeline import Pipeline
from uncertain_llm.flow.waves import tally_of
from uncertain_llm.policy import AnswerChoice
from uncertain_llm.policy.stopping_table import StoppingTable, probability_at, stopping_table

__all__ = ["is_apart", "table_from"]

_SHARE = 0.3
"""Of the questions. A rule of ten coefficients needs few, and all else loses them: chosen, not
tuned."""

Known = tuple[RecordedRow, Callable[[int | None], bool | None]]
"""A row, and whether the answer of an index is right; None without a label."""

_State = tuple[int, int, float | None]
_Reached = tuple[_State, bool | None]
"""A state, and whether its answer is right."""


def is_apart(row: RecordedRow, *, seed: int) -> bool:
    """Tell whether a question is set apart for the rule; the same for all models asked it."""
    name = f"{seed}\n{row.key.dataset}\n{row.key.id}"
    drawn = int.from_bytes(hashlib.sha256(name.encode(errors="replace")).digest()[:8])
    return drawn < _SHARE * 2**64


def table_from(
    rows: Iterable[Known], pipeline: Pipeline, *, choice: AnswerChoice, n_samples: int | None
) -> StoppingTable | None:
    """Return when another reply is worth its price; None for fewer than 20 labelled questions.

    Args:
        rows: Those set apart, all replies with them.
        pipeline: Its policy prices a reply; its estimator says which states have a probability.
        choice: Which reply is the answer.
        n_samples: Use the first so many replies of each row; None uses all that may be asked for.

    Source:
        Backward induction over P(right) and P(the next reply agrees), both as
        `calibration.smoothing` has them.
    """
    costs, price = pipeline.policy.decide.costs, pipeline.policy.sampling.reply_price
    if costs is None or price is None:
        return None
    n_max = min(pipeline.n_samples, n_samples or pipeline.n_samples)
    runs = [_run(row, right_of, pipeline, choice, n_max) for row, right_of in rows]
    labelled = [run for run in runs if any(right is not None for _, right in run)]
    if len(labelled) < LEAST_LABELS:
        return None
    right = _fitted(
        [[(state, known) for state, known in run if known is not None] for run in labelled]
    )
    agrees = _fitted([[*_grows(run)] for run in labelled])
    measured = probability_at(pipeline.estimator)
    unmeasured = pipeline.policy.decide.when_unavailable

    def loss(known: tuple[float, bool]) -> float:
        p, is_measured = known
        return min(costs.losses(p).values()) if is_measured else costs.losses(p)[unmeasured]

    return stopping_table(
        # What nothing measures, one reply that states no probability, no fit will tell either: what
        # is done there does not hang on a probability, but what it loses does.
        lambda *state: (right(*state), measured(*state) is not None),
        loss,
        n_max=n_max,
        price=price,
        agrees=agrees,
        name=f"table-of-{len(labelled)}-labels",
    )


def _run(
    row: RecordedRow,
    right_of: Callable[[int | None], bool | None],
    pipeline: Pipeline,
    choice: AnswerChoice,
    n_max: int,
) -> list[_Reached]:
    """Return the states after one reply, after two, and so on, as the live rule would see them."""
    samples = [read_sample(sample, row.question) for sample in row.samples[:n_max]]
    found = []
    for n in range(1, len(samples) + 1):
        evidence = evidence_from(
            samples[:n], question=row.question, task=row.task, choice=choice, n_requested=n
        )
        tally = tally_of(evidence, estimate(evidence, pipeline), choice)
        if tally is None or evidence.answer.refusal is not None:
            continue
        state = (tally.counted, tally.agreeing, tally.stated)
        found.append((state, right_of(evidence.answer_index)))
    return found


def _grows(run: Sequence[_Reached]) -> Iterator[tuple[_State, bool]]:
    """Yield each state that another reply followed, and whether it agreed."""
    for (before, _), (after, _) in pairwise(run):
        if after[0] == before[0] + 1:
            yield before, after[1] > before[1]


def _fitted(
    runs: Sequence[Sequence[tuple[_State, bool]]],
) -> Callable[[int, int, float | None], float]:
    # The states of a question are not independent: together they count as one.
    weighed = [(state, label, 1.0 / len(run)) for run in runs for state, label in run]
    return fit_smoother(
        [state for state, _, _ in weighed],
        [label for _, label, _ in weighed],
        weights=[weight for _, _, weight in weighed],
    ).at
