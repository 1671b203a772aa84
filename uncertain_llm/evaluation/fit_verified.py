"""What is promised of answers shown after a second look, on labels set apart for it.

The second look is taken at the answers in doubt: who they are depends on probabilities, cuts and
certificates, and so on every label that shaped those. A certificate of what is shown afterwards
needs labels that had no part in it. So the questions are drawn into two halves:

1. The first half fits and certifies all that decides about first looks. Everything is frozen then:
   the set V of answers that are looked at again, the score s2 of the second look, and which of them
   the policy's cuts would show.
2. Of the second half the labelled answers in V test thresholds on s2, from the strictest down.

Proof: given the draw and the first half, the labels of the second half that lie in V are
independent draws of the traffic in V, because V, s2 and the cuts are functions of the first half
alone and a question never lies in both. The candidate thresholds come from the first half too, or
from a fifth of these labels that tests nothing. `certify_threshold` then holds: with probability at
least 1 - delta_v the risk of "in V, shown by the cuts, s2 >= t2" is at most alpha. This is true for
each first half, so it is true on the whole; and the promises about first looks, made on the first
half with the rest of delta, hold together with it (union bound). That set is what the client shows
after a second look: `decide_again` with the same cuts, and withheld below t2.

A verdict parts V into strata, one for each verdict that lets an answer be shown; each has its own
threshold, on the score of the first look, and its own part of delta. The share of wrong answers in
the union of strata is a mean of theirs, so it is at most alpha too.

A fitted file that already runs is frozen too, and the log of its decisions holds the second looks
at exactly its V: `certify_running` needs no halves, and leaves all else in the file as it is.

An answer in V without a recorded second look counts as shown, and wrong, at every threshold: if a
part b of V's traffic lacks the look, the worst that can be is that all of b is shown and wrong, and
(errors + b) / (shown + b) grows with b.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from uncertain_llm.core.confidence import Confidence, Measurement
from uncertain_llm.core.decision import (
    Action,
    Decision,
    ReasonCode,
    Refusal,
    RefusalKind,
    Support,
    Verdict,
)
from uncertain_llm.core.errors import NotEnoughLabels, PolicyError
from uncertain_llm.core.ports import Estimator
from uncertain_llm.evaluation.fit_looks import Look
from uncertain_llm.evaluation.fit_order import FitOrder
from uncertain_llm.evaluation.fit_rows import FitRow, FitRows
from uncertain_llm.policy import Policy, decide, decide_after_verdict, decide_again
from uncertain_llm.policy.calibration_file import CalibrationFile
from uncertain_llm.policy.certificate import (
    Certificate,
    CertifiedBand,
    NotCertifiedReason,
    NotCertifiedWhy,
    Promise,
    SecondLook,
    ThresholdsFrom,
)
from uncertain_llm.policy.certify import NEVER, LabelledScores, certify
from uncertain_llm.policy.decide import second_score

__all__ = ["APART", "certify_running", "set_apart", "with_second_looks"]

APART = 0.5
"""Share of the questions that certify second looks. Few of them are in doubt, and the others fit
and certify everything else: neither can spare much. Chosen, not tuned."""

_SPACING = 0.2
"""Share of a log that only tells which thresholds to test. As in `certify`."""

_ALWAYS = 2.0
"""The score of a second look that is not recorded: above every threshold."""

_MOST_REFERENCE = 20_000
"""Answers of the first half that are read for thresholds; a random part beyond."""

_SHOWN = (Action.ANSWER, Action.HEDGE)
_DECLINED = Refusal(kind=RefusalKind.NON_ANSWER, why="recorded")


def set_apart(found: FitRows, *, seed: int, share: float = APART) -> tuple[FitRows, list[FitRow]]:
    """Return the rows that fit and certify first looks, and those set apart for second ones.

    Args:
        found: Read with `look_again`; the rows of a question stay together.
        seed: Draws the questions.
        share: Of the questions that are set apart.
    """
    names = [row.question or f"row {place}" for place, row in enumerate(found.rows)]
    questions = sorted(set(names))
    order = np.random.default_rng([seed, 5]).permutation(len(questions))
    apart = {questions[place] for place in order[: round(share * len(questions))].tolist()}
    pairs = list(zip(names, found.rows, strict=True))
    kept = [row for name, row in pairs if name not in apart]
    return replace(found, rows=kept), [row for name, row in pairs if name in apart]


def with_second_looks(
    first: CalibrationFile, kept: Sequence[FitRow], apart: Sequence[FitRow], order: FitOrder
) -> CalibrationFile:
    """Return a fit of first looks with what can be promised of second ones, on other labels.

    Args:
        first: Fitted on `kept`, with the promises about first looks.
        kept: The rows that shaped it; their second looks give the thresholds to test.
        apart: The rows set apart.
        order: Its promise of the "verified" band is tested, at its equal part of delta.
    """
    frozen = _Frozen(first, Policy.model_validate(first.policy))
    made = _added(frozen, _certified(frozen, kept, apart, order), order)
    n_apart = sum(row.loss is not None for row in apart)
    return made.model_copy(
        update={
            "n_rows": len(kept) + len(apart),
            "n_labels": first.n_labels + n_apart,
            "n_set_apart": n_apart,
            "more_labels": tuple(
                more.model_copy(update={"labels": round(more.labels / (1.0 - APART))})
                for more in first.more_labels
            ),
        }
    )


def certify_running(found: FitRows, policy: Policy, order: FitOrder) -> CalibrationFile:
    """Return the policy's fitted file with what can be promised of second looks, and no more.

    All of the file stays as it is: who is in doubt was decided with it before a label was given.

    Args:
        found: Decisions that this policy made, from a log, read with `look_again` and
            `by_policy`: labels that shaped the file prove nothing about it.
        policy: With its calibration; the promise is bound to its cuts.
        order: Its promise of the "verified" band, the only one, gets all of its delta.

    Raises:
        NotEnoughLabels: No decision of this policy has a label.
        PolicyError: The policy has no fitted file that promises something of its answers, or
            decided about other answers.
    """
    first, n_labels = policy.calibration, sum(row.loss is not None for row in found.rows)
    if not isinstance(first, CalibrationFile) or first.gate("") is None:
        raise PolicyError(
            f"policy '{policy.name}' has no fitted file that promises something of its answers: "
            "a promise of second looks stands beside that; fit with --alpha first"
        )
    if n_labels == 0:
        raise NotEnoughLabels(
            f"none of {len(found.rows)} decisions made with this policy and its fitted file has a "
            f"label; {found.n_other_pipeline} others do not count: they were not made with it"
        )
    if found.binding.answer != first.binding.answer:
        raise PolicyError(
            f"the labels are of the {found.binding.answer} answer, the fitted file is about the "
            f"{first.binding.answer} answer"
        )
    first = _without_verified(first)
    if first.certificate is not None:
        by = first.certificate.group_by
        kind = first.certificate.kind
        order = replace(order, kind=kind, group_by=by, certify_by_group=by is not None)
    kept, apart = set_apart(found, seed=order.seed, share=1.0 - _SPACING)
    frozen = _Frozen(first, policy)
    made = _added(frozen, _certified(frozen, kept.rows, apart, order), order)
    return made.model_copy(
        update={
            "n_rows": first.n_rows + len(found.rows),
            "n_labels": first.n_labels + n_labels,
            "n_set_apart": n_labels,
            "created_at": found.newest_label,
        }
    )


def _without_verified(file: CalibrationFile) -> CalibrationFile:
    certificate = file.certificate
    if certificate is not None:
        bands = tuple(band for band in certificate.bands if band.band != "verified")
        certificate = certificate.model_copy(update={"bands": bands}) if bands else None
    reasons = tuple(reason for reason in file.reasons if reason.band != "verified")
    return file.model_copy(update={"certificate": certificate, "reasons": reasons})


def _added(frozen: _Frozen, found: Sequence[_Found], order: FitOrder) -> CalibrationFile:
    """Return the frozen file with what came of the second looks."""
    first, before = frozen.first, frozen.first.certificate
    bands = [band for band, _ in found if isinstance(band, CertifiedBand)]
    origins = [origin for _, origin in found if origin is not None]
    cuts, delta = first.cuts, order.delta
    if bands and cuts is None:
        # Nothing was certified of first looks: the policy's own cuts say who is in doubt.
        cuts = frozen.policy.decide.effective_cuts
    if before is not None:
        origins.append(before.thresholds_from)
        bands = [*before.bands, *bands]
        # The promises hold together with what their parts leave.
        delta = order.delta / len(order.promises) + (before.delta or 0.0)
    certificate = (
        Certificate(
            kind=order.kind,
            delta=None if order.kind == "average" else delta,
            group_by=order.group_by if order.certify_by_group else None,
            # One band that had to split its labels is what a reader has to know.
            thresholds_from="split" if "split" in origins else origins[0],
            bands=tuple(bands),
        )
        if bands
        else None
    )
    reasons = [reason for reason, _ in found if isinstance(reason, NotCertifiedReason)]
    return first.model_copy(
        update={"certificate": certificate, "cuts": cuts, "reasons": (*first.reasons, *reasons)}
    )


@dataclass(frozen=True)
class _Frozen:
    """All that decides whom a second look is taken at, and what it comes to."""

    first: CalibrationFile
    policy: Policy

    def decided(self, row: FitRow) -> Decision:
        """Return the decision of the first look."""
        group = self.first.group_of(row.slices)
        return decide(
            _confidence(row, self.first.estimator.for_group_named(group)),
            self.policy,
            refusal=_DECLINED if row.is_declined else None,
            label_draw=1.0,
            gate=self.first.gate(group),
        )

    def score(self, row: FitRow, look: Look) -> float:
        """Return the score of a second look; `NEVER` where the policy would not show its answer."""
        group = self.first.group_of(row.slices)
        found = _confidence(look, self.first.estimator.for_group_named(group))
        if look.is_declined:
            return NEVER
        if look.verifier is None:
            decision = decide_again(found, self.policy, refusal=None, label_draw=1.0)
        else:
            verdict = (
                None
                if look.support is None
                else Verdict(support=look.support, verifier=look.verifier)
            )
            decision = decide_after_verdict(verdict, found, self.policy, label_draw=1.0)
        score = second_score(found)
        return NEVER if score is None or decision.action not in _SHOWN else score


_Found = tuple[CertifiedBand | NotCertifiedReason, ThresholdsFrom | None]
"""What came of one stratum, and where its thresholds came from."""


def _certified(
    frozen: _Frozen, kept: Sequence[FitRow], apart: Sequence[FitRow], order: FitOrder
) -> list[_Found]:
    rng = np.random.default_rng([order.seed, 6])
    if len(kept) > _MOST_REFERENCE:
        kept = [kept[i] for i in rng.permutation(len(kept))[:_MOST_REFERENCE].tolist()]
    labelled = [row for row in apart if _is_labelled(row)]
    drawn = [row for row in labelled if row.is_drawn]
    asked = _asked_for(frozen, kept)
    verifier = _usual([row for row, _ in asked])
    seen, tested = (_in_doubt(rows, verifier) for rows in (asked, _asked_for(frozen, drawn)))
    by = order.group_by if order.certify_by_group else None
    strata = [
        (group, support)
        for group in ([None] if by is None else sorted(frozen.first.groups) or [""])
        for support in _supports(seen, verifier)
    ]
    share = order.delta / len(order.promises) / len(strata)
    found: list[_Found] = []
    for group, support in strata:
        stratum = _Stratum(frozen, order, group, verifier, support, share)
        own_seen, own_tested = (
            [row for row in rows if by is None or row.slices.get(by, "") == group]
            for rows in (seen, tested)
        )
        if labelled and not drawn:
            found.append((stratum.reason("labels_picked", len(labelled)), None))
        else:
            found.append(stratum.certified(own_seen, own_tested, rng))
    return found


def _is_labelled(row: FitRow) -> bool:
    return row.loss is not None or (row.again is not None and row.again.loss is not None)


def _asked_for(frozen: _Frozen, rows: Sequence[FitRow]) -> list[tuple[FitRow, ReasonCode]]:
    decided = ((row, frozen.decided(row)) for row in rows)
    return [(row, found.reason) for row, found in decided if found.action is Action.VERIFY]


def _in_doubt(asked: Sequence[tuple[FitRow, ReasonCode]], verifier: str | None) -> list[FitRow]:
    """Return the answers that get a second look: what a probe speaks against only by a verifier."""
    by_replies = verifier is None
    return [r for r, why in asked if not (by_replies and why is ReasonCode.PROBE_DISAGREES)]


def _usual(rows: Sequence[FitRow]) -> str | None:
    """Return what looked again most often: one verifier, or None for further replies."""
    counts = Counter(row.again.verifier for row in rows if row.again is not None)
    return max(counts, key=lambda name: (counts[name], name or ""), default=None)


def _supports(seen: Sequence[FitRow], verifier: str | None) -> list[Support | None]:
    """Return the verdicts that may show an answer, of those that were seen."""
    if verifier is None:
        return [None]
    found = {row.again.support for row in seen if row.again is not None}
    return [s for s in (Support.SUPPORTED, Support.UNDECIDED) if s in found] or [Support.SUPPORTED]


def _confidence(seen: FitRow | Look, estimator: Estimator) -> Confidence:
    measured = [Measurement(signal=s, value=v) for s, v in seen.values.items()]
    return estimator.estimate(measured, n_samples=seen.n_samples)


@dataclass(frozen=True)
class _Stratum:
    """The answers in doubt that get one threshold: of one group, after one kind of second look."""

    frozen: _Frozen
    order: FitOrder
    group: str | None
    verifier: str | None
    support: Support | None
    delta: float

    def certified(
        self, seen: Sequence[FitRow], tested: Sequence[FitRow], rng: np.random.Generator
    ) -> _Found:
        """Return the band, or the reason for none.

        Args:
            seen: Answers in doubt of the first half.
            tested: Labelled ones of the second half.
            rng: As in `certify`.
        """
        looks = [(row, row.again) for row in seen if row.again and self._holds(row.again)]
        items = [row for row in tested if row.again is None or self._holds(row.again)]
        if not items:
            return self.reason("none_in_doubt", 0), None
        if not looks or all(row.again is None for row in items):
            return self.reason("not_looked_again", len(items)), None
        counts = [look.n_samples for _, look in looks]
        spread = min(counts), max(counts)
        scored = np.array([self._scored(row, spread) for row in items])
        reference = np.array([self.frozen.score(row, look) for row, look in looks])
        if reference.max() == NEVER and scored[:, 0].max() == NEVER:
            return self.reason("none_shown", len(items)), None
        look = SecondLook(
            verifier=self.verifier,
            support=self.support,
            verifying=self.frozen.policy.verifying(self.verifier),
            n_replies=spread,
            n_missing=int((scored[:, 0] == _ALWAYS).sum()),
        )
        bands, reasons, origin = certify(
            LabelledScores(scored[:, 0], scored[:, 1], reference),
            [self._promise],
            delta=self.delta,
            rng=rng,
            kind=self.order.kind,
            group=self.group,
            look=look,
        )
        return (bands[0], origin) if bands else (reasons[0], None)

    def _holds(self, look: Look) -> bool:
        return (look.verifier, look.support) == (self.verifier, self.support)

    def _scored(self, row: FitRow, spread: tuple[int, int]) -> tuple[float, float]:
        """Return the score of the second look and the loss of the answer it came to."""
        look = row.again
        if look is None:
            return _ALWAYS, 1.0
        fewest, most = spread
        score = self.frozen.score(row, look) if fewest <= look.n_samples <= most else NEVER
        if score == NEVER:
            return NEVER, 1.0
        return (_ALWAYS, 1.0) if look.loss is None else (score, look.loss)

    @property
    def _promise(self) -> Promise:
        return next(promise for promise in self.order.promises if promise.band == "verified")

    def reason(self, why: NotCertifiedWhy, n_labels: int) -> NotCertifiedReason:
        """Return why nothing was tested."""
        return NotCertifiedReason(
            band="verified",
            group=self.group,
            alpha=self._promise.alpha,
            delta=None if self.order.kind == "average" else self.delta,
            n_labels=n_labels,
            why=why,
            support=self.support,
        )
