"""The release gate: is a candidate worse than its baseline on the same questions?

Both are resampled by the same questions, so what the questions add to both drops out. All checks
together fail a candidate that is in truth no worse with probability 1 - level (half of it for the
whole, half for all slices): each check's bound allows for the number of checks and for how they
move together (max-t; Westfall and Young 1993, section 2).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from uncertain_llm.core.base import Value
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.evaluation.columns import ACTIONS, Codes, Columns
from uncertain_llm.evaluation.figures import draw_counts
from uncertain_llm.evaluation.gate import Gate
from uncertain_llm.evaluation.resampled import COVERAGES, cluster_groups, figures_of, tally
from uncertain_llm.evaluation.wording import counted
from uncertain_llm.stats.arrays import BoolArray, FloatArray, IntArray

__all__ = ["Comparison", "Difference", "SliceInversion", "Verdict", "compare"]

Verdict = Literal["worse", "no_worse", "not_gated", "undecided"]

_LEAST_QUESTIONS = 20
"""Below this no check can tell a change from noise. Chosen."""
_MOST_UNDEFINED = 0.1


class Difference(Value):
    """One figure of both systems on the questions that both answered."""

    name: str
    slice: str | None = None
    """Dimension and name, for example "domain=law"; None for all rows."""
    baseline: float | None
    candidate: float | None
    difference: float | None
    """Candidate less baseline."""
    interval: tuple[float, float] | None
    """Of the difference alone, at 95 %."""
    limit: float | None
    """How much worse the gate accepts; None: not gated."""
    worsening: float | None = None
    """By how much it got worse at least, all checks together taken into account."""
    resolution: float | None = None
    """The gate sees a worsening of more than this above its limit about every second time."""
    verdict: Verdict
    reason: str | None = None
    """Why there is no difference or no interval."""


class SliceInversion(Value):
    """A slice in which wrong answers are held as sure as right ones, or surer."""

    slice: str
    baseline_gap: float | None
    """Mean probability of right answers less that of wrong ones."""
    candidate_gap: float
    interval: tuple[float, float] | None
    """Of the candidate's gap, at 95 %."""
    is_new: bool
    """The baseline's gap was above 0, and it fell beyond noise."""


class Comparison(Value):
    """What the gate found."""

    passed: bool
    was_checked: bool
    """Whether there were labels enough to judge anything; if not, to have passed means nothing."""
    verdict: str
    """One sentence."""
    n_rows: int
    """Rows of each that were compared."""
    n_questions: int
    n_only_in_baseline: int
    n_only_in_candidate: int
    n_labelled: int
    level: float
    overall: tuple[Difference, ...]
    slices: tuple[Difference, ...]
    inversions: tuple[SliceInversion, ...]
    notes: tuple[str, ...] = ()
    gate: Gate


@dataclass(frozen=True)
class _Check:
    """A figure, which direction is worse, and how much of it is accepted."""

    name: str
    shown_as: str
    sign: float
    """1: higher is worse, -1: lower is worse, 0: any change is."""
    limit: float | None

    @property
    def needs_no_label(self) -> bool:
        return self.name == "coverage" or self.name.startswith("share.")


@dataclass(frozen=True)
class _Paired:
    """Both systems' figures, on the rows and on the same resamples."""

    baseline: Mapping[str, FloatArray]
    candidate: Mapping[str, FloatArray]
    n_questions: int
    n_labelled_questions: int
    """Those on which all figures but coverage and shares rest."""


def compare(baseline: Columns, candidate: Columns, gate: Gate | None = None) -> Comparison:
    """Return whether a candidate is worse than its baseline beyond noise.

    Rows are paired by dataset, model and question; where the two have other models (the model is
    what changed), by dataset and question.

    Args:
        baseline: What runs now.
        candidate: What may replace it.
        gate: The rules; None for the defaults.

    Returns:
        The finding; `passed` is False when anything gated got worse beyond noise and its limit.

    Raises:
        ConfigurationError: The two have no row in common.
    """
    gate = gate or Gate()
    old, new, questions = _pair(baseline, candidate)
    resampling = _Resampling.of(questions, gate)
    figures = resampling.figures(old, new, with_curves=True)
    share_of_error = (1.0 - gate.level) / 2.0
    overall = _differences(_overall_checks(gate), [figures], [None], share_of_error)
    slices, inversions = _slice_differences(old, new, resampling, gate, share_of_error)
    worse = [d for d in (*overall, *slices) if d.verdict == "worse"]
    return Comparison(
        passed=not worse,
        was_checked=bool(worse) or _was_checked(overall),
        verdict=_sentence(worse, overall),
        n_rows=len(new),
        n_questions=figures.n_questions,
        n_only_in_baseline=len(baseline) - len(old),
        n_only_in_candidate=len(candidate) - len(new),
        n_labelled=int(new.is_known.sum()),
        level=gate.level,
        overall=tuple(overall),
        slices=tuple(slices),
        inversions=tuple(inversions),
        notes=(
            *_notes(baseline, candidate, old, new, figures.n_labelled_questions),
            *_unchecked(overall),
        ),
        gate=gate,
    )


def _overall_checks(gate: Gate) -> list[_Check]:
    limits = gate.limits
    risks = [
        _Check(f"selective_accuracy.{c}", f"risk at {c:.0%} coverage", 1.0, limits.risk_at_coverage)
        for c in COVERAGES
    ]
    shares = [
        _Check(f"share.{action}", f"share of {action}", 0.0, limits.action_shares)
        for action in ACTIONS
    ]
    return [
        _Check("accuracy", "accuracy", -1.0, limits.accuracy),
        _Check("coverage", "coverage", -1.0, limits.coverage),
        _Check("brier", "brier", 1.0, limits.brier),
        _Check("ece", "ece", 1.0, limits.ece),
        _Check("smece", "smece", 1.0, limits.smece),
        _Check("log_loss", "log loss", 1.0, None),
        _Check("auroc", "auroc", -1.0, None),
        *risks,
        _Check("answered_risk", "risk of answered", 1.0, limits.answered_risk),
        _Check("success.answer", "answered and right", -1.0, None),
        *shares,
    ]


def _pair(baseline: Columns, candidate: Columns) -> tuple[Columns, Columns, IntArray]:
    """Return the rows that both have, and the cluster of each, the baseline's rows first."""
    sides = (baseline, candidate)
    dimensions = ["dataset"]
    if _names(baseline, "model") == _names(candidate, "model"):
        dimensions.append("model")
    keys = [np.zeros(len(side), np.int64) for side in sides]
    columns: list[list[Codes | None]]
    columns = [[side.slices.get(name) for side in sides] for name in dimensions]
    columns.append([side.question for side in sides])
    for codes in columns:
        numbers, width = _common_codes(codes, sides)
        keys = [key * width + number for key, number in zip(keys, numbers, strict=True)]
    old = baseline.where(np.isin(keys[0], keys[1]))
    new = candidate.where(np.isin(keys[1], keys[0]))
    if not len(old):
        raise ConfigurationError(
            "baseline and candidate have no row in common: rows are paired by dataset, model and "
            "id (by dataset and id where the models differ)"
        )
    questions, _ = _common_codes([old.question, new.question], (old, new))
    return old, new, np.concatenate(questions)


def _names(columns: Columns, dimension: str) -> set[str]:
    codes = columns.slices.get(dimension)
    return set() if codes is None else {codes.names[i] for i in np.unique(codes.codes) if i >= 0}


def _common_codes(
    columns: Sequence[Codes | None], sides: Sequence[Columns]
) -> tuple[list[IntArray], int]:
    """Return both columns with the same number for the same name, and how many numbers."""
    numbers: dict[str, int] = {}
    found: list[IntArray] = []
    for codes, side in zip(columns, sides, strict=True):
        if codes is None:
            found.append(np.zeros(len(side), np.int64))
            continue
        table = [numbers.setdefault(name, len(numbers) + 1) for name in codes.names]
        found.append(np.array([*table, 0], dtype=np.int64)[codes.codes])  # -1 is the last: 0
    return found, len(numbers) + 1


@dataclass(frozen=True)
class _Resampling:
    """Which rows are drawn together, and how often in each resample; the first one is all rows."""

    questions: IntArray
    groups: IntArray
    """Shape (rows of both sides,), the baseline's rows first."""
    counts: FloatArray

    @classmethod
    def of(cls, questions: IntArray, gate: Gate) -> _Resampling:
        rng = np.random.default_rng(gate.seed)
        groups = cluster_groups(questions.astype(np.int32), rng)
        n_groups = int(groups.max()) + 1
        drawn = draw_counts(n_groups, gate.n_resamples, rng)
        return cls(questions, groups, np.concatenate([np.ones((1, n_groups)), drawn]))

    def where(self, rows: BoolArray) -> _Resampling:
        """Return the same resamples, of these rows only."""
        return _Resampling(self.questions[rows], self.groups[rows], self.counts)

    def figures(self, old: Columns, new: Columns, *, with_curves: bool) -> _Paired:
        """Return the figures of both sides on the same resamples."""
        n_groups = self.counts.shape[1]
        parts = (old, self.groups[: len(old)]), (new, self.groups[len(old) :])
        before, after = (
            figures_of(
                tally(side, members, n_groups, with_curves=with_curves),
                self.counts,
                leave_out=("aurc", "calibration_line"),
            )
            for side, members in parts
        )
        known = np.concatenate([old.is_known, new.is_known])
        return _Paired(
            before,
            after,
            int(np.unique(self.questions).size),
            int(np.unique(self.questions[known]).size),
        )


def _slice_differences(
    old: Columns, new: Columns, resampling: _Resampling, gate: Gate, share_of_error: float
) -> tuple[list[Difference], list[SliceInversion]]:
    rules = gate.slices
    checks = [
        _Check("brier", "brier", 1.0, rules.brier),
        _Check("ece", "ece", 1.0, rules.ece),
        _Check("confidence_gap", "confidence gap", -1.0, 0.0 if rules.inversion else None),
    ]
    names: list[str | None] = []
    figures: list[_Paired] = []
    for name, of_old, of_new in _slices_of(old, new, gate):
        inside = resampling.where(np.concatenate([of_old, of_new]))
        names.append(name)
        figures.append(inside.figures(old.where(of_old), new.where(of_new), with_curves=False))
    found = _differences(checks, figures, names, share_of_error)
    inversions = []
    settled = []
    for difference in found:
        if difference.name == "confidence gap":
            # A gap may narrow; what fails the gate is one that closes or turns over.
            turned = difference.candidate is not None and difference.candidate <= 0.0
            if difference.verdict == "worse" and not turned:
                difference = difference.model_copy(update={"verdict": "no_worse"})
            if turned:
                inversions.append(_inversion(difference, figures[names.index(difference.slice)]))
        settled.append(difference)
    return settled, inversions


def _inversion(difference: Difference, figures: _Paired) -> SliceInversion:
    drawn = figures.candidate["confidence_gap"][1:]
    drawn = drawn[np.isfinite(drawn)]
    interval = None
    if difference.interval is not None:
        low, high = np.quantile(drawn, [0.025, 0.975])
        interval = (float(low), float(high))
    return SliceInversion(
        slice=difference.slice or "",
        baseline_gap=difference.baseline,
        candidate_gap=difference.candidate or 0.0,
        interval=interval,
        is_new=difference.verdict == "worse",
    )


def _slices_of(
    old: Columns, new: Columns, gate: Gate
) -> Iterator[tuple[str, BoolArray, BoolArray]]:
    rules = gate.slices
    for dimension in sorted(old.slices.keys() & new.slices.keys()):
        if rules.dimensions is not None and dimension not in rules.dimensions:
            continue
        names = sorted(_names(old, dimension) & _names(new, dimension))
        if len(names) == 1 and len(_names(new, dimension)) == 1:
            continue  # all rows: the checks on the whole see it
        for name in names:
            rows = [side.slices[dimension].rows_of(name) for side in (old, new)]
            n_known = [
                int(side.is_known[r].sum()) for side, r in zip((old, new), rows, strict=True)
            ]
            if min(n_known) >= rules.least_rows:
                yield f"{dimension}={name}", rows[0], rows[1]


def _differences(
    checks: Sequence[_Check],
    figures: Sequence[_Paired],
    slices: Sequence[str | None],
    share_of_error: float,
) -> list[Difference]:
    """Return all differences of a family of checks, each judged in view of all others."""
    measured = [
        (check, name, _harm(check, pair))
        for pair, name in zip(figures, slices, strict=True)
        for check in checks
    ]
    gated = [
        harm.standard
        for check, _, harm in measured
        if check.limit is not None and harm.standard is not None
    ]
    reach = float(np.quantile(np.max(gated, axis=0), 1.0 - share_of_error)) if gated else 0.0
    return [_difference(check, name, harm, reach) for check, name, harm in measured]


@dataclass(frozen=True)
class _Harm:
    """How a figure changed, and how that varies over resamples."""

    baseline: float | None
    candidate: float | None
    interval: tuple[float, float] | None = None
    spread: float = 0.0
    standard: FloatArray | None = None
    """Resampled worsening, centred and divided by its spread."""
    reason: str | None = None


def _harm(check: _Check, pair: _Paired) -> _Harm:
    if check.name not in pair.baseline or check.name not in pair.candidate:
        return _Harm(None, None, reason="no_labelled_probability")
    old, new = (_as_shown(check, side[check.name]) for side in (pair.baseline, pair.candidate))
    before, after = (float(v) if np.isfinite(v) else None for v in (old[0], new[0]))
    if before is None or after is None:
        return _Harm(before, after, reason="undefined")
    n_questions = pair.n_questions if check.needs_no_label else pair.n_labelled_questions
    if n_questions < _LEAST_QUESTIONS:
        return _Harm(before, after, reason="too_few_questions")
    change = new[1:] - old[1:]
    there = np.isfinite(change)
    if there.mean() < 1.0 - _MOST_UNDEFINED:
        return _Harm(before, after, reason="undefined_on_resamples")
    # Resampling shifts calibration errors; only how the change varies is taken from it.
    centred = np.where(there, change - change[there].mean(), 0.0)
    low, high = np.quantile(centred[there], [0.025, 0.975]) + (after - before)
    spread = float(centred[there].std())
    worse = np.abs(centred) if check.sign == 0.0 else check.sign * centred
    return _Harm(
        before,
        after,
        interval=(float(low), float(high)),
        spread=spread,
        standard=worse / spread if spread > 0.0 else np.zeros(worse.size),
    )


def _as_shown(check: _Check, values: FloatArray) -> FloatArray:
    return 1.0 - values if check.name.startswith("selective_accuracy") else values


def _difference(check: _Check, name: str | None, harm: _Harm, reach: float) -> Difference:
    verdict: Verdict = "not_gated" if check.limit is None else "undecided"
    change = worsening = resolution = None
    if harm.baseline is not None and harm.candidate is not None:
        change = harm.candidate - harm.baseline
    if change is not None and harm.standard is not None and check.limit is not None:
        worse = abs(change) if check.sign == 0.0 else check.sign * change
        resolution = reach * harm.spread
        worsening = max(0.0, worse - resolution)
        verdict = "worse" if worse - resolution > check.limit else "no_worse"
    return Difference(
        name=check.shown_as,
        slice=name,
        baseline=harm.baseline,
        candidate=harm.candidate,
        difference=change,
        interval=harm.interval,
        limit=check.limit,
        worsening=worsening,
        resolution=resolution,
        verdict=verdict,
        reason=harm.reason,
    )


def _sentence(worse: Sequence[Difference], overall: Sequence[Difference]) -> str:
    if not worse:
        if not _was_checked(overall):
            return "Nothing could be checked: too few labelled questions in common."
        return "Nothing that the gate checks got worse beyond noise."
    what = [d.name if d.slice is None else f"{d.name} in {d.slice}" for d in worse]
    accuracy = next(d for d in overall if d.name == "accuracy").difference
    rose = accuracy is not None and accuracy > 0 and all(d.name != "accuracy" for d in worse)
    beside = f" although accuracy rose by {accuracy:.3f}" if rose else ""
    return f"Worse beyond noise{beside}: {', '.join(what)}."


def _was_checked(overall: Sequence[Difference]) -> bool:
    """Tell whether a figure on labels was judged; coverage and shares need none."""
    return any(
        d.verdict in ("worse", "no_worse")
        for d in overall
        if d.name != "coverage" and not d.name.startswith("share of")
    )


def _unchecked(overall: Sequence[Difference]) -> Iterator[str]:
    undecided = [d for d in overall if d.verdict == "undecided"]
    for reason in dict.fromkeys(d.reason for d in undecided):
        names = ", ".join(d.name for d in undecided if d.reason == reason)
        yield f"not checked: {names} ({(reason or 'unknown').replace('_', ' ')})"


def _notes(
    baseline: Columns, candidate: Columns, old: Columns, new: Columns, n_labelled: int
) -> Iterator[str]:
    if len(baseline) > len(old):
        yield (
            f"{len(baseline) - len(old)} of {len(baseline)} rows of the baseline are not in the "
            "candidate: nothing is known of them"
        )
    if len(candidate) > len(new):
        yield f"{len(candidate) - len(new)} rows are only in the candidate and were left out"
    n_before, n_after = (int((columns.refusal >= 0).sum()) for columns in (old, new))
    if n_before or n_after:
        yield (
            f"the model declined in {n_before} rows of the baseline and in {n_after} of the "
            "candidate: they count as their labels say, and lower the coverage"
        )
    n_unlabelled = int((~new.is_known).sum())
    if n_unlabelled:
        yield f"{n_unlabelled} of {len(new)} rows have no label"
    if n_labelled < _LEAST_QUESTIONS:
        yield (
            f"{counted(n_labelled, 'labelled question')} {'is' if n_labelled == 1 else 'are'} too "
            f"few to tell a change from noise; give at least {_LEAST_QUESTIONS}"
        )
