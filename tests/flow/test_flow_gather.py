"""Gathering: each reply is evidence of its own, however often its words have come before."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from uncertain_llm.core.chat import CallPurpose, Elicitation, Generation, Request
from uncertain_llm.flow.gather import extend, gather, sample_from
from uncertain_llm.policy import Cuts, Decide, Policy

NOW = datetime(2026, 5, 1, tzinfo=UTC)
REQUEST = Request(
    id="1",
    created_at=NOW,
    model="any",
    messages=({"role": "user", "content": "In which year did the bridge open?"},),
)
POLICY = Policy(name="t", decide=Decide(cuts=Cuts(answer=0.9, hedge=0.5, verify=0.2)))
# What one reply can differ in from another one, text apart.
DIFFERENCES: tuple[dict[str, object], ...] = (
    {},
    {"elicits": Elicitation.INLINE_PROBABILITY},
    {"elicits": Elicitation.INLINE_PROBABILITY, "token_log_probabilities": (-0.1,) * 4}
    | {"token_lengths": (3, 5, 1, 15)},
    {"token_log_probabilities": (-0.5,), "from_cache": True},
    {"finish_reason": "length"},
    {"finish_reason": "content_filter"},
    {"refusal_text": "No."},
    {"has_tool_calls": True},
    {"recorded_answer": "1932"},
    {"recorded_probability": 0.25},
)
TEXTS = ("In 1932.\nConfidence: 80%", "I am sorry, but I cannot tell.", "", "1932")


def generation(index: int, text: str, fields: dict[str, object]) -> Generation:
    return Generation(
        purpose=CallPurpose.SAMPLE if index else CallPurpose.ANSWER,
        index=index,
        text=text,
        model_asked="any",
        response_id=f"r{index}",
        started_at=NOW,
        seconds=0.1,
        **fields,  # type: ignore[arg-type] - fields of different types
    )


ALL = tuple(
    generation(index, text, fields)
    for index, (text, fields) in enumerate([*itertools.product(TEXTS, DIFFERENCES)] * 2)
)


def test_a_reply_among_others_is_the_evidence_that_it_is_alone() -> None:
    found = gather(REQUEST, POLICY, ALL).evidence.samples

    assert found == tuple(sample_from(g, question=REQUEST.question) for g in ALL)


@pytest.mark.parametrize("n_first", [1, 7, len(ALL) // 2, len(ALL) - 1])
def test_replies_that_come_later_make_the_evidence_that_they_make_together(n_first: int) -> None:
    first = gather(REQUEST, POLICY, ALL[:n_first])

    found = extend(REQUEST, POLICY, first, ALL[n_first:])

    assert found == gather(REQUEST, POLICY, ALL)
