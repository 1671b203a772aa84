"""From samples to evidence: which say the same, and which one is the answer. Live and recorded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from uncertain_llm.core.base import unchecked
from uncertain_llm.core.confidence import Clustering, Evidence, Sample
from uncertain_llm.policy import AnswerChoice
from uncertain_llm.signals.equivalence import cluster

__all__ = ["evidence_from", "regrouped"]

_evidence = unchecked(Evidence)
_clustering = unchecked(Clustering)


def evidence_from(
    samples: Sequence[Sample],
    *,
    question: str | None,
    task: str | None,
    choice: AnswerChoice,
    n_requested: int,
    separate_answer: Sample | None = None,
) -> Evidence:
    """Return the evidence that samples amount to.

    Args:
        samples: All replies that arrived, in the order of their calls; at least one, unless there
            is a separate answer.
        question: What was asked, if known; helps to tell what kind of answer is expected.
        task: The kind of answer, if the caller knows it.
        choice: Which sample is the answer. The majority's is the earliest of its most frequent
            wording among recorded short answers, else its earliest; where no sample can be read,
            the first sample is the answer all the same.
        n_requested: Replies that were asked for.
        separate_answer: An answer that is not among the samples; they are then its witnesses.
    """
    kept = tuple(samples)
    answer = kept[0] if separate_answer is None else separate_answer
    index = 0 if separate_answer is None else None
    clustering = cluster(kept, answer=answer, answer_index=index, question=question, task=task)
    if index is not None and choice is AnswerChoice.MAJORITY and clustering.clusters:
        index = _representative(kept, clustering.clusters[0])
        answer = kept[index]
        clustering = _with_largest_shown(clustering)
    return _evidence(
        question=question,
        task=task,
        answer=answer,
        answer_index=index,
        samples=kept,
        n_requested=n_requested,
        clustering=clustering,
    )


def regrouped(evidence: Evidence, clustering: Clustering, *, choice: AnswerChoice) -> Evidence:
    """Return the evidence with another grouping; the majority's answer may be another one then."""
    index = evidence.answer_index
    if index is None or choice is not AnswerChoice.MAJORITY or not clustering.clusters:
        return evidence.model_copy(update={"clustering": clustering})
    index = _representative(evidence.samples, clustering.clusters[0])
    return evidence.model_copy(
        update={
            "clustering": _with_largest_shown(clustering),
            "answer_index": index,
            "answer": evidence.samples[index],
        }
    )


def _with_largest_shown(clustering: Clustering) -> Clustering:
    if clustering.answer_cluster == 0:
        return clustering
    return _clustering(**{**clustering.__dict__, "answer_cluster": 0})


def _representative(samples: Sequence[Sample], cluster: Sequence[int]) -> int:
    said = [samples[index].answer for index in cluster]
    if said.count(said[0]) == len(said):
        return min(cluster)
    answers = Counter(answer for answer in said if answer is not None)
    # A short answer that was read for us is surer than one we read out of a text.
    most = max(answers.values())
    return min(index for index in cluster if answers[samples[index].answer or ""] == most)
