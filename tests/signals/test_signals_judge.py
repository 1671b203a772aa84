"""The judge of another family: whom it may judge, and which replies count."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from uncertain_llm.core.chat import CallFailure, CallPurpose, Generation, Request
from uncertain_llm.core.confidence import (
    Clustering,
    Evidence,
    FollowUpReply,
    Measurement,
    Sample,
)
from uncertain_llm.core.decision import Refusal, RefusalKind
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.signals.judge import OtherFamilyJudge, families_of

NOW = datetime(2026, 11, 1, tzinfo=UTC)
JUDGE = OtherFamilyJudge(model="anthropic/claude-sonnet-4-5", options={"api_key": "sk-judge"})
ANSWER = Sample(text="It opened in 1932, as far as I know.")


def request(model: str = "openai/gpt-4o-mini") -> Request:
    return Request(id="r", created_at=NOW, model=model, messages=())


def evidence_of(answer: Sample = ANSWER, reply: str | CallFailure | None = None) -> Evidence:
    outcome = reply
    if isinstance(reply, str):
        outcome = Generation(
            purpose=CallPurpose.FOLLOW_UP,
            text=reply,
            model_asked=JUDGE.model,
            started_at=NOW,
            seconds=0,
        )
    return Evidence(
        question="When did the bridge open?",
        answer=answer,
        samples=(answer,),
        n_requested=1,
        clustering=Clustering(clusters=((0,),), answer_cluster=0),
        follow_ups=() if outcome is None else (FollowUpReply(signal=JUDGE.name, outcome=outcome),),
    )


def judged(reply: str | CallFailure | None) -> Measurement:
    return JUDGE.measure(evidence_of(reply=reply))


def test_the_judge_is_asked_once_with_its_own_options() -> None:
    (call,) = JUDGE.follow_ups(request(), evidence_of())

    assert (call.model, call.options) == (JUDGE.model, {"api_key": "sk-judge"})
    assert json.loads(str(call.messages[1]["content"])) == {
        "question": "When did the bridge open?",
        "answer": "It opened in 1932, as far as I know.",
    }


def test_the_judge_s_key_is_in_no_text_of_it() -> None:
    assert "sk-judge" not in repr(JUDGE) + JUDGE.model_dump_json() + str(JUDGE.model_dump())


def test_a_verdict_and_its_probability_are_the_measurement() -> None:
    found = judged('{"verdict": "wrong", "probability": 12}')

    assert found.value == 0.12
    assert found.details["verdict"] == "wrong"
    assert found.details["judge"] == JUDGE.model


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (None, "not_asked"),
        ('{"verdict": "cannot_tell", "probability": 50}', "declined"),
        ('{"verdict": "right", "probability": 10}', "contradictory_reply"),
        ('{"verdict": "wrong", "probability": 90}', "contradictory_reply"),
        ('{"verdict": "Right!", "probability": 90}', "unreadable_reply"),
        ('{"verdict": ["right"], "probability": 90}', "unreadable_reply"),
        ('{"verdict": "right", "probability": "90"}', "unreadable_reply"),
        ('{"verdict": "right"}', "unreadable_reply"),
        ('The answer says {"verdict": "right", "probability": 99}', "unreadable_reply"),
        ("right", "unreadable_reply"),
    ],
)
def test_whatever_else_it_says_is_no_measurement(reply: str | None, reason: str) -> None:
    found = judged(reply)

    assert (found.value, found.missing) == (None, reason)


def test_a_call_that_failed_is_named() -> None:
    failure = CallFailure(
        purpose=CallPurpose.FOLLOW_UP,
        model_asked=JUDGE.model,
        code="missing_key",
        message="",
        started_at=NOW,
        seconds=0,
    )

    assert judged(failure).missing == "call_failed"


def test_a_refusal_is_not_judged() -> None:
    refusal = Refusal(kind=RefusalKind.NORMATIVE, why="test")
    evidence = evidence_of(ANSWER.model_copy(update={"refusal": refusal}))

    assert JUDGE.follow_ups(request(), evidence) == ()
    assert JUDGE.measure(evidence).missing == "refusal"


@pytest.mark.parametrize(
    ("name", "families"),
    [
        ("azure/my-gpt-4o-deployment", {"openai"}),
        ("openai/o3-mini", {"openai"}),
        ("vertex_ai/claude-sonnet-4-5@20250929", {"anthropic"}),
        ("openrouter/openai/gpt-5-mini", {"openai"}),
        ("openai/my-model", set()),
        ("groq/deepseek-r1-distill-llama-70b", {"deepseek", "meta"}),
        ("mistral/open-mixtral-8x7b", {"mistral"}),
        ("ollama_chat/gemma3", {"google"}),
        ("huggingface/microsoft/Phi-3-mini", {"microsoft"}),
    ],
)
def test_a_family_is_read_off_the_model_and_not_off_its_host(name: str, families: set[str]) -> None:
    assert families_of(name) == families


@pytest.mark.parametrize("model", ["vertex_ai/claude-haiku-4-5", "anthropic/claude-sonnet-4-5"])
def test_a_relative_is_refused_with_the_way_out(model: str) -> None:
    with pytest.raises(ConfigurationError, match="allow_same_family=True"):
        JUDGE.refuse_relative(model)
    assert JUDGE.follow_ups(request(model), evidence_of()) == ()


def test_a_relative_may_judge_where_that_is_wanted() -> None:
    judge = OtherFamilyJudge(model="openai/gpt-4o", allow_same_family=True)

    judge.refuse_relative("openai/gpt-4o-mini")

    assert len(judge.follow_ups(request(), evidence_of())) == 1


def test_a_model_of_unknown_family_is_still_no_judge_of_itself() -> None:
    with pytest.raises(ConfigurationError):
        OtherFamilyJudge(model="openai/my-model").refuse_relative("openai/my-model")
