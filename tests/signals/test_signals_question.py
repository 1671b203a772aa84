"""What the question alone tells."""

from __future__ import annotations

import pytest

from uncertain_llm.core.confidence import Clustering, Evidence, Sample
from uncertain_llm.signals.question import QuestionBrevity


def _evidence(question: str | None, *, unusable: str | None = None) -> Evidence:
    sample = Sample(text="1932", unusable=unusable)
    return Evidence(
        question=question, answer=sample, samples=(sample,), n_requested=1, clustering=Clustering()
    )


def test_a_shorter_question_counts_as_surer() -> None:
    short = QuestionBrevity().measure(_evidence("When did it open?")).value
    long = QuestionBrevity().measure(_evidence("When did it open? " * 20)).value

    assert 0 < long < short < 1


@pytest.mark.parametrize("question", [None, "", "  \n "])
def test_without_a_question_there_is_nothing_to_measure(question: str | None) -> None:
    found = QuestionBrevity().measure(_evidence(question))

    assert (found.value, found.missing) == (None, "no_question")


def test_it_does_not_speak_for_an_answer_that_cannot_be_read() -> None:
    found = QuestionBrevity().measure(_evidence("When?", unusable="empty"))

    assert (found.value, found.missing) == (None, "no_readable_answer")


def test_it_needs_no_call() -> None:
    assert QuestionBrevity().needs.samples == 1
