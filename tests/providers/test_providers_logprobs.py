"""Token log-probabilities on the wire: asked for where they exist, read only when they are real."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Sequence

import httpx
import pytest
import respx

from uncertain_llm.core.chat import CallPurpose, Generation, ModelCall
from uncertain_llm.core.confidence import Clustering, Evidence
from uncertain_llm.flow.gather import sample_from
from uncertain_llm.providers.litellm_model import LiteLLMModel
from uncertain_llm.providers.litellm_replies import tokens_of
from uncertain_llm.signals.likelihood import SequenceLikelihood

KEY = "sk-secret-0123456789abcdef"
OPENAI = "https://api.openai.com/v1/chat/completions"
ANTHROPIC = "https://api.anthropic.com/v1/messages"


def token(text: str, value: float) -> dict[str, object]:
    raw = list(text.encode())
    return {"token": text, "bytes": raw, "logprob": value, "top_logprobs": []}


def body(text: str, tokens: Sequence[dict[str, object]] | None) -> dict[str, object]:
    choice: dict[str, object] = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": "stop",
    }
    if tokens is not None:
        choice["logprobs"] = {"content": list(tokens), "refusal": None}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }


def ask(model: str = "openai/gpt-4o-mini", *, wants: bool = True) -> Generation:
    async def main() -> Generation:
        maker = LiteLLMModel(model, api_key=KEY)
        call = ModelCall(
            purpose=CallPurpose.ANSWER,
            model=model,
            messages=({"role": "user", "content": "When did it open?"},),
            wants_log_probabilities=wants,
        )
        try:
            return await maker.generate(call)
        finally:
            await maker.aclose()

    return asyncio.run(main())


def likelihood(reply: Generation):  # noqa: ANN201
    sample = sample_from(reply, question="When did it open?")
    return SequenceLikelihood().measure(
        Evidence(
            question=None,
            answer=sample,
            samples=(sample,),
            n_requested=1,
            clustering=Clustering(clusters=((0,),), answer_cluster=0),
        )
    )


def test_log_probabilities_of_a_reply_are_asked_for_and_read(http: respx.MockRouter) -> None:
    tokens = [token("19", math.log(0.9)), token("32", math.log(0.4))]
    sent = http.post(OPENAI).respond(json=body("1932", tokens))

    found = likelihood(ask())

    assert json.loads(sent.calls[0].request.content)["logprobs"] is True
    assert found.value == pytest.approx(0.6)


def test_without_the_wish_nothing_is_asked(http: respx.MockRouter) -> None:
    sent = http.post(OPENAI).respond(json=body("1932", None))

    reply = ask(wants=False)

    assert "logprobs" not in json.loads(sent.calls[0].request.content)
    assert likelihood(reply).missing == "not_returned"


@pytest.mark.parametrize(
    ("values", "reason"),
    [((0.0, 0.0), "sentinel_zero"), ((-0.2, -9999.0), "sentinel_minus_9999")],
)
def test_sentinels_of_a_provider_are_refused_by_name(
    http: respx.MockRouter, values: tuple[float, float], reason: str
) -> None:
    tokens = [token("19", values[0]), token("32", values[1])]
    http.post(OPENAI).respond(json=body("1932", tokens))

    found = likelihood(ask())

    assert (found.value, found.missing) == (None, reason)


def test_a_model_without_log_probabilities_is_not_asked_for_them(http: respx.MockRouter) -> None:
    sent = http.post(ANTHROPIC).respond(
        json={
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5",
            "content": [{"type": "text", "text": "1932"}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 3},
        }
    )

    reply = ask("anthropic/claude-sonnet-4-5")

    assert b"logprobs" not in sent.calls[0].request.content
    assert reply.text == "1932"
    assert likelihood(reply).missing == "not_returned"


def test_a_provider_that_refuses_the_wish_still_gives_its_answer(http: respx.MockRouter) -> None:
    refusal = {"error": {"message": "logprobs is not supported", "type": "invalid_request_error"}}
    sent = http.post(OPENAI)
    sent.side_effect = [
        httpx.Response(400, json=refusal),
        httpx.Response(200, json=body("1932", None)),
    ]

    reply = ask()

    assert (reply.text, reply.attempts) == ("1932", 2)
    assert "logprobs" not in json.loads(sent.calls[1].request.content)


@pytest.mark.parametrize(
    "tokens",
    [
        [token("Let me think. ", -0.1), token("1932", -0.2)],
        [token("19", -0.1)],
        [token("19", -0.1), token("31", -0.2)],
        [{"token": "1932", "logprob": None}],
        [{"token": "1932", "logprob": True}],
        [{"token": "1932", "logprob": float("nan")}],
        [{"token": "1932", "bytes": [999], "logprob": -0.1}],
        [],
    ],
)
def test_numbers_that_are_not_those_of_the_text_are_not_taken(
    tokens: list[dict[str, object]],
) -> None:
    assert tokens_of({"content": tokens}, "1932") is None


def test_characters_that_are_spread_over_tokens_and_end_marks_do_no_harm() -> None:
    snow = "\N{SNOWMAN}".encode()
    tokens = [
        {"token": "\\xe2\\x98", "bytes": list(snow[:2]), "logprob": -0.5},
        {"token": "\\x83", "bytes": list(snow[2:]), "logprob": -0.7},
        token("<|im_end|>", -0.9),
    ]

    found = tokens_of({"content": tokens}, "\N{SNOWMAN}")

    assert found == ((-0.5, -0.7), (2, 1))


@pytest.mark.parametrize("logprobs", [None, {}, {"content": None}, "yes", {"content": [1, 2]}])
def test_another_shape_is_no_log_probability(logprobs: object) -> None:
    assert tokens_of(logprobs, "1932") is None
