"""Judging replies one already has: the pipeline without its calls."""

from __future__ import annotations

from collections.abc import Sequence

from uncertain_llm.core.base import Value
from uncertain_llm.core.confidence import Confidence, Evidence, Sample
from uncertain_llm.core.decision import Decision
from uncertain_llm.flow.evidence import evidence_from
from uncertain_llm.flow.measure import estimate
from uncertain_llm.flow.pipeline import Pipeline
from uncertain_llm.policy import AnswerChoice, decide
from uncertain_llm.text.canonical import extract_answer
from uncertain_llm.text.refusals import classify_refusal

__all__ = ["Assessment", "assess_samples", "read_sample", "short_answer"]


class Assessment(Value):
    """What recorded replies amount to."""

    answer: str | None
    """The short answer that is scored; None when none can be read."""
    evidence: Evidence
    confidence: Confidence
    decision: Decision

    @property
    def representative(self) -> int | None:
        """Index of the sample that is the answer; -1 for a separate one; None without replies."""
        if self.evidence.answer_index is not None:
            return self.evidence.answer_index if self.evidence.samples else None
        return -1


def assess_samples(
    samples: Sequence[Sample],
    pipeline: Pipeline,
    *,
    question: str | None,
    task: str | None,
    choice: AnswerChoice,
    separate_answer: Sample | None = None,
) -> Assessment:
    """Return confidence and decision for recorded samples; the same input gives the same output.

    Args:
        samples: The replies; none is allowed and leads to `unavailable`.
        pipeline: What measures, estimates and decides.
        question: What was asked, if known.
        task: The kind of answer, if known.
        choice: Which sample is the answer.
        separate_answer: An answer that is not among the samples.
    """
    kept = tuple(read_sample(sample, question) for sample in samples) or (
        (_NOTHING,) if separate_answer is None else ()
    )
    evidence = evidence_from(
        kept,
        question=question,
        task=task,
        choice=choice,
        n_requested=len(samples),
        separate_answer=None if separate_answer is None else read_sample(separate_answer, question),
    )
    confidence = estimate(evidence, pipeline)
    # No label is requested for a recording: the draw never falls below the audit rate.
    decision = decide(confidence, pipeline.policy, refusal=evidence.answer.refusal, label_draw=1.0)
    return Assessment(
        answer=short_answer(evidence.answer, question=question, task=task),
        evidence=evidence,
        confidence=confidence,
        decision=decision,
    )


def read_sample(sample: Sample, question: str | None) -> Sample:
    """Return a recorded sample with what can be read from its words: refusal, or nothing there."""
    if sample.refusal is not None or sample.unusable is not None:
        return sample
    if sample.text is None:
        return sample if sample.answer is not None else _mark_empty(sample)
    if not sample.text.strip() and sample.answer is None:
        return _mark_empty(sample)
    refusal = None if sample.answer is not None else classify_refusal(sample.text, question)
    return sample if refusal is None else sample.model_copy(update={"refusal": refusal})


def short_answer(sample: Sample, *, question: str | None, task: str | None) -> str | None:
    """Return the short answer of a sample: the one kept with it, else the one in its words."""
    if sample.answer is not None:
        return sample.answer
    return extract_answer(sample.text, question=question, task=task) if sample.text else None


def _mark_empty(sample: Sample) -> Sample:
    return sample.model_copy(update={"unusable": "empty"})


_NOTHING = Sample(text=None, unusable="empty")
