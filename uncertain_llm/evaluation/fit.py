"""`fit`: from labels to a calibration file: estimator, certificate, and how good they are."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from pydantic import JsonValue

from uncertain_llm import __version__
from uncertain_llm.calibration.choosing import LEAST_LABELS
from uncertain_llm.calibration.combining import Combiner, Example, fit_combiner
from uncertain_llm.calibration.fitted import FittedEstimator
from uncertain_llm.calibration.fitting import (
    CombinerChoice,
    HeldOut,
    cross_fit,
    fit_estimator,
)
from uncertain_llm.calibration.prior import feature_names, load_prior
from uncertain_llm.core.confidence import Measurement
from uncertain_llm.core.errors import NotEnoughLabels
from uncertain_llm.core.ports import Estimator
from uncertain_llm.evaluation.fit_figures import (
    actions_at,
    figures_of_groups,
    held_out_figures,
    labels_for,
)
from uncertain_llm.evaluation.fit_order import FitOrder
from uncertain_llm.evaluation.fit_rows import FitRow, FitRows
from uncertain_llm.evaluation.fit_verified import certify_running, set_apart, with_second_looks
from uncertain_llm.policy import Cuts, Policy
from uncertain_llm.policy.calibration_file import BandFigures, CalibrationFile
from uncertain_llm.policy.certify import (
    NEVER,
    Certificate,
    CertifiedBand,
    LabelledScores,
    NotCertifiedReason,
    Promise,
    ThresholdsFrom,
    certify,
    certify_groups,
)
from uncertain_llm.policy.policy import ActOn
from uncertain_llm.stats.bounds import least_trials

__all__ = ["FitOrder", "fit"]

Floats = npt.NDArray[np.float64]

_COMBINER_SHARE = 0.3
"""Labels that fit weights of one's own where the others certify: they must not be the same."""

_MOST_JUDGED = 20_000
"""Labels that the figures rest on; a random part beyond: their intervals are narrow then."""

_LEAST_FOR_WEIGHTS = 100
"""Labels below which own weights would be the shipped ones and cost the certificate its labels."""


def fit(found: FitRows, policy: Policy, order: FitOrder) -> CalibrationFile:
    """Return what the labels tell, bound to the pipeline they came from.

    Labels are used once for each purpose. The score is frozen before a label is looked at (the
    shipped weights), or its weights are fitted on labels set apart; the others certify and
    calibrate. The certificate is about the score, so calibrating on the same labels does not touch
    it. Figures come from a repetition of the whole procedure without each fifth of the labels.
    A promise of what is shown after a second look takes half of the questions for itself, see
    `fit_verified`: everything else is then done on the other half. Where nothing else is promised,
    the policy's own fitted file stays as it is and gets that promise (`certify_running`).

    Args:
        found: The rows; unlabelled ones serve as traffic that thresholds are taken from.
        policy: What was decided: cuts or costs, and what to do on a mismatch.
        order: What is asked for.

    Raises:
        NotEnoughLabels: No row has a label and something measured.
        PolicyError: Only second looks are to be promised, and the policy has no fitted file.
        ValueError: delta is not in (0, 1), or rows have no such slice to group by.
    """
    if order.verified is None:
        return _first_looks(found, policy, order).with_checksum()
    others = tuple(promise for promise in order.promises if promise is not order.verified)
    if not others:
        return certify_running(found, policy, order).with_checksum()
    kept, apart = set_apart(found, seed=order.seed)
    delta = order.delta * len(others) / len(order.promises)
    first = _first_looks(kept, policy, replace(order, promises=others, delta=delta))
    return with_second_looks(first, kept.rows, apart, order).with_checksum()


def _first_looks(found: FitRows, policy: Policy, order: FitOrder) -> CalibrationFile:
    rng = np.random.default_rng([order.seed, 2])
    rows, by = _parted(found, order, rng), order.group_by
    prior, seed, weights = load_prior(), order.seed, rows.weights
    examples, judged = ([_example(r, by) for r in part] for part in (rows.asserted, rows.judged))
    done = fit_estimator(prior, examples, seed=seed, combiner=weights, group_by=by)
    held_out = cross_fit(prior, judged, seed=seed, combiner=weights, group_by=by)
    certificate, reasons = _certificate(found, rows.certifying, done.estimator, order, rng)
    cuts = _cuts(policy, done.estimator, certificate)
    before = np.array([_shipped_probability(row) for row in rows.judged])
    labels = np.array([example.is_right for example in judged], dtype=np.float64)
    made = CalibrationFile(
        library_version=__version__,
        created_at=found.newest_label,
        fingerprint=found.binding.fingerprint,
        binding=found.binding,
        policy=_policy_with(policy, cuts if certificate is not None else None),
        estimator=done.estimator,
        n_rows=len(found.rows),
        n_labels=len(rows.labelled),
        n_declined=sum(row.is_declined for row in rows.labelled),
        seed=seed,
        why_method=done.why,
        why_combiner=done.why_combiner,
        log_losses={method.value: loss for method, loss in done.log_losses.items()},
        group_by=by,
        before=held_out_figures(before, labels, seed=seed),
        after=held_out_figures(held_out.probabilities, held_out.labels, seed=seed),
        by_group=() if by is None else figures_of_groups(before, held_out),
        cuts=None if reasons and certificate is None else cuts,
        certificate=certificate,
        reasons=tuple(reasons),
        stopping=found.stopping,
        more_labels=labels_for(
            _scores(rows.certifying, done.estimator),
            _losses(rows.certifying),
            delta=order.delta,
            asked=[p.alpha for p in order.promises],
            seed=seed,
        ),
    )
    with_cuts = policy.decide.model_copy(update={"cuts": cuts})
    decided_with = policy.model_copy(update={"decide": with_cuts})
    return made.model_copy(update={"at_cuts": _at_cuts(made, decided_with, rows, held_out)})


@dataclass(frozen=True)
class _Parted:
    """The labelled rows, by what their labels may do."""

    labelled: list[FitRow]
    weights: CombinerChoice | Combiner
    """How the score is weighed: by the labels that are in none of the others, where there are."""
    certifying: list[FitRow]
    declined: list[FitRow]
    """A refusal asserts nothing that could be right: withheld, counted, and without a number."""
    asserted: list[FitRow]
    judged: list[FitRow]
    """Those of `asserted` that the figures rest on."""


def _parted(found: FitRows, order: FitOrder, rng: np.random.Generator) -> _Parted:
    labelled = [row for row in found.rows if row.loss is not None]
    usable = [row for row in labelled if row.values]
    if all(row.is_declined for row in usable):
        raise NotEnoughLabels(_why_none(found, labelled))
    weights, kept = _set_apart(usable, order, rng)
    apart = {id(row) for row in usable} - {id(row) for row in kept}
    asserted = [row for row in kept if not row.is_declined]
    return _Parted(
        labelled,
        weights,
        certifying=[row for row in labelled if id(row) not in apart],
        declined=[row for row in kept if row.is_declined],
        asserted=asserted,
        judged=_some(asserted, rng),
    )


def _at_cuts(
    made: CalibrationFile, policy: Policy, rows: _Parted, held_out: HeldOut
) -> tuple[BandFigures, ...]:
    inside = [rows.judged[place] for place in held_out.places]
    if made.certificate is not None:
        # These cuts are thresholds on the score, read through the final map: so must the rows be.
        final = np.array([_probability(row, made) for row in inside])
        held_out = replace(held_out, probabilities=final)
    return actions_at(
        held_out,
        policy,
        _scores(inside, made.estimator),
        [made.gate(made.group_of(row.slices)) for row in inside],
        declined_losses=_losses(rows.declined),
    )


def _some(rows: Sequence[FitRow], rng: np.random.Generator) -> list[FitRow]:
    if len(rows) <= _MOST_JUDGED:
        return list(rows)
    return [rows[i] for i in sorted(rng.permutation(len(rows))[:_MOST_JUDGED].tolist())]


def _policy_with(policy: Policy, cuts: Cuts | None) -> dict[str, JsonValue]:
    """Return the policy as it goes into the file: without a calibration, with cuts that follow."""
    data: dict[str, JsonValue] = policy.model_dump(mode="json", exclude={"calibration"})
    decide = data["decide"]
    if cuts is not None and isinstance(decide, dict):
        decide["cuts"] = cuts.model_dump(mode="json")
    return data


def _why_none(found: FitRows, labelled: Sequence[FitRow]) -> str:
    n_declined = sum(row.is_declined for row in labelled)
    if n_declined:
        return (
            f"{len(labelled)} of {len(found.rows)} rows have a label, and in none of them was "
            f"anything asserted: the model declined in {n_declined}, the others could not be read"
        )
    if labelled:
        return (
            f"{len(labelled)} of {len(found.rows)} rows have a label, and nothing could be "
            "measured in any of them: no reply could be read"
        )
    other = (
        f"; {found.n_other_pipeline} decisions were made by another pipeline than this policy's, "
        "so give the policy they were made with"
        if found.n_other_pipeline
        else ""
    )
    return (
        f"none of {len(found.rows)} rows has a label{other}. A recording needs 'correct' in its "
        "samples, a log `uncertain-llm log label`; probabilities begin at "
        f"{LEAST_LABELS} labels"
    )


def _example(row: FitRow, group_by: str | None) -> Example:
    return Example(
        values=row.values,
        n_samples=row.n_samples,
        is_right=(row.loss or 0.0) < 0.5,
        group=None if group_by is None else row.slices.get(group_by, ""),
    )


def _set_apart(
    rows: Sequence[FitRow], order: FitOrder, rng: np.random.Generator
) -> tuple[CombinerChoice | Combiner, list[FitRow]]:
    """Return how the score is weighed, and the rows whose labels did not shape it."""
    if not order.promises:
        return order.combiner, list(rows)
    has_own = any(set(row.values) - set(feature_names()) for row in rows)
    wants = order.combiner is CombinerChoice.FITTED or (
        has_own and order.combiner is CombinerChoice.AUTO
    )
    if not wants or len(rows) < _LEAST_FOR_WEIGHTS:
        return CombinerChoice.SHIPPED, list(rows)
    shuffled = rng.permutation(len(rows)).tolist()
    n_apart = round(_COMBINER_SHARE * len(rows))
    fitting = [_example(rows[i], None) for i in shuffled[:n_apart]]
    return fit_combiner(load_prior(), fitting), [rows[i] for i in sorted(shuffled[n_apart:])]


def _certificate(
    found: FitRows,
    labelled: Sequence[FitRow],
    estimator: FittedEstimator,
    order: FitOrder,
    rng: np.random.Generator,
) -> tuple[Certificate | None, list[NotCertifiedReason]]:
    if not order.promises:
        return None, []
    drawn = [row for row in labelled if row.is_drawn]
    if not drawn:
        return None, [_picked(promise, order, len(labelled)) for promise in order.promises]
    if estimator.map is None:
        return None, [_too_few(promise, order, len(drawn)) for promise in order.promises]
    unlabelled = [row for row in found.rows if row.loss is None and row.values]
    bands, reasons, origin = _bands(drawn, unlabelled, estimator, order, rng)
    if not bands:
        return None, reasons
    return (
        Certificate(
            kind=order.kind,
            delta=None if order.kind == "average" else order.delta,
            group_by=order.group_by if order.certify_by_group else None,
            thresholds_from=origin,
            bands=tuple(bands),
        ),
        reasons,
    )


def _bands(
    drawn: Sequence[FitRow],
    unlabelled: Sequence[FitRow],
    estimator: FittedEstimator,
    order: FitOrder,
    rng: np.random.Generator,
) -> tuple[list[CertifiedBand], list[NotCertifiedReason], ThresholdsFrom]:
    if not order.certify_by_group or order.group_by is None:
        whole = _labelled_scores(drawn, unlabelled, estimator)
        return certify(whole, order.promises, delta=order.delta, rng=rng, kind=order.kind)
    by, groups = order.group_by, defaultdict[str, tuple[list[FitRow], list[FitRow]]](_two)
    for row in drawn:
        groups[row.slices.get(by, "")][0].append(row)
    for row in unlabelled:
        if (name := row.slices.get(by, "")) in groups:
            groups[name][1].append(row)
    parts = {name: _labelled_scores(*rows, estimator) for name, rows in groups.items()}
    return certify_groups(parts, order.promises, delta=order.delta, rng=rng, kind=order.kind)


def _two() -> tuple[list[FitRow], list[FitRow]]:
    return [], []


def _labelled_scores(
    drawn: Sequence[FitRow], unlabelled: Sequence[FitRow], estimator: FittedEstimator
) -> LabelledScores:
    return LabelledScores(_scores(drawn, estimator), _losses(drawn), _scores(unlabelled, estimator))


def _scores(rows: Sequence[FitRow], estimator: FittedEstimator) -> Floats:
    """Return the scores as the gate sees them: `NEVER` for what it never lets through."""
    return np.array([_gate_score(row, estimator) for row in rows], dtype=np.float64)


def _gate_score(row: FitRow, estimator: FittedEstimator) -> float:
    found = None if row.is_declined else estimator.combiner.score(row.values, row.n_samples)
    if found is None or not found.was_seen or not estimator.covers(found.score, row.n_samples):
        return NEVER
    return found.score


def _losses(rows: Sequence[FitRow]) -> Floats:
    return np.array([1.0 if row.loss is None else row.loss for row in rows], dtype=np.float64)


def _picked(promise: Promise, order: FitOrder, n_labels: int) -> NotCertifiedReason:
    return NotCertifiedReason(
        band=promise.band,
        alpha=promise.alpha,
        delta=order.delta,
        n_labels=n_labels,
        why="labels_picked",
    )


def _too_few(promise: Promise, order: FitOrder, n_labels: int) -> NotCertifiedReason:
    return NotCertifiedReason(
        band=promise.band,
        alpha=promise.alpha,
        delta=order.delta,
        n_labels=n_labels,
        labels_needed=max(LEAST_LABELS, least_trials(alpha=promise.alpha, delta=order.delta)),
        why="too_few_labels",
    )


def _cuts(policy: Policy, estimator: FittedEstimator, certificate: Certificate | None) -> Cuts:
    """Return the cuts that go with the certificate: its thresholds, read as probabilities.

    With costs the stricter of both wins. Where the policy acts on the band's lower end its own
    cuts stay: they are about another number.
    """
    own = policy.decide.effective_cuts
    if certificate is None or policy.decide.act_on is ActOn.LOWER_END:
        return own
    answer = _as_probability(certificate, "answer", estimator)
    shown = _highest(
        _as_probability(certificate, "shown", estimator),
        _as_probability(certificate, "hedge", estimator),
    )
    if policy.decide.costs is not None:
        answer = max(own.answer, answer) if answer is not None else own.answer
        shown = max(own.hedge, shown) if shown is not None else own.hedge
    answer = own.answer if answer is None else answer
    hedge = min(answer, own.hedge if shown is None else shown)
    return Cuts(answer=answer, hedge=hedge, verify=min(own.verify, hedge))


def _highest(*found: float | None) -> float | None:
    return max((value for value in found if value is not None), default=None)


def _as_probability(
    certificate: Certificate, band: str, estimator: FittedEstimator
) -> float | None:
    """Return the least probability of an answer that a band lets through, rounded down."""
    found = [
        estimator.probability_at(b.threshold, group=group)
        for b in certificate.bands
        if b.band == band
        for group in ([b.group] if b.group is not None else _groups_of(estimator))
    ]
    return math.floor(min(found) * 1e6) / 1e6 if found else None


def _groups_of(estimator: FittedEstimator) -> list[str | None]:
    groups = () if estimator.groups is None else estimator.groups.shifts
    return [None, *(shift.group for shift in groups)]


def _shipped_probability(row: FitRow) -> float:
    return _estimated(row, load_prior())


def _probability(row: FitRow, made: CalibrationFile) -> float:
    return _estimated(row, made.estimator.for_group_named(made.group_of(row.slices)))


def _estimated(row: FitRow, estimator: Estimator) -> float:
    measured = [Measurement(signal=s, value=v) for s, v in row.values.items()]
    found = estimator.estimate(measured, n_samples=row.n_samples).probability
    return math.nan if found is None else found
