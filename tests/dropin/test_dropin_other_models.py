"""A judge beside a drop-in call: it reaches its own provider, without the caller's key."""

from __future__ import annotations

from types import ModuleType

import pytest
from dropin_world import KEY, MODEL, QUESTION, URL, Provider, policy
from played_http import played_http

from uncertain_llm.dropin import DropIn, uncertainty
from uncertain_llm.signals import AnswerAgreement, OtherFamilyJudge

JUDGE_KEY = "sk-judge-0123456789abcdef"
VERDICT = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-sonnet-4-5",
    "content": [{"type": "text", "text": '{"verdict": "right", "probability": 97}'}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 9, "output_tokens": 3},
}


def test_a_judge_is_asked_at_its_own_provider_and_the_reply_stays_the_caller_s(
    litellm: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", JUDGE_KEY)
    judge = OtherFamilyJudge(model="anthropic/claude-sonnet-4-5")
    uncertain = DropIn(policy=policy(), log=None, signals=[AnswerAgreement(samples=2), judge])

    with played_http() as wire, uncertain:
        wire.post(URL).mock(side_effect=Provider())
        asked = wire.post("https://api.anthropic.com/v1/messages").respond(json=VERDICT)
        reply = uncertain.completion(model=MODEL, messages=QUESTION, api_key=KEY)

    (measured,) = [m for m in uncertainty(reply).measurements if m.signal == "other_family_judge"]
    request = asked.calls[0].request
    assert measured.value == 0.97
    assert reply.choices[0].message.content == "The capital is Canberra."
    assert request.headers["x-api-key"] == JUDGE_KEY
    assert KEY not in str(request.headers.raw) + request.content.decode()
