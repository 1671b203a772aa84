"""A probe beside a drop-in call: one more witness, and the reply stays the caller's."""

from __future__ import annotations

import json
from types import ModuleType

import pytest
from dropin_world import MODEL, Body, Provider, call, policy

from uncertain_llm.dropin import DropIn, uncertainty

MAMMAL = [{"role": "user", "content": "Which is a mammal?\nA. shark\nB. dolphin\nC. trout"}]


def probing(form: str) -> DropIn:
    chosen = policy(probe=form)
    cuts = chosen.decide.cuts.model_copy(update={"answer": 0.5, "hedge": 0.3, "verify": 0.1})
    return DropIn(
        policy=chosen.model_copy(
            update={"decide": chosen.decide.model_copy(update={"cuts": cuts})}
        ),
        log=None,
    )


@pytest.mark.parametrize("is_async", [False, True])
def test_a_probe_that_disagrees_is_advice_to_verify(
    litellm: ModuleType, provider: Provider, is_async: bool
) -> None:
    provider.answer = lambda _body, is_witness: "A\nConfidence: 97%" if is_witness else "A"

    with probing("permuted_options") as uncertain:
        reply = call(uncertain, model=MODEL, messages=MAMMAL, is_async=is_async)

    verdict = uncertainty(reply)
    (own, probe) = provider.own  # neither is asked for a probability
    assert own["messages"] == MAMMAL
    assert sorted(probe["messages"][0]["content"]) == sorted(MAMMAL[0]["content"])
    assert (verdict.action.value, verdict.reason.value) == ("verify", "probe_disagrees")
    assert reply.choices[0].message.content == "A"
    assert [c.purpose.value for c in verdict.provenance.calls][-1] == "probe"
    assert reply.usage.completion_tokens == 4 * 7


def test_a_paraphrase_gets_room_for_its_words(litellm: ModuleType, provider: Provider) -> None:
    def answer(body: Body, is_witness: bool) -> str:
        return "A\nConfidence: 97%" if is_witness else "A"

    provider.answer = answer
    with probing("paraphrase") as uncertain:
        uncertain.completion(model=MODEL, messages=MAMMAL, max_tokens=5, temperature=0)

    own, probe = provider.own
    assert (own["max_tokens"], own["temperature"]) == (5, 0)
    assert probe["max_tokens"] > 100
    assert "temperature" not in probe
    assert "in your own words" in json.dumps(probe["messages"])
