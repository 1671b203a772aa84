"""Whose temperature is used: the call's, else the client's, else the policy's."""

from __future__ import annotations

import pytest
import respx
from httpx import Response as HttpResponse

from uncertain_llm.client import UncertainLLM
from uncertain_llm.policy import Cuts, Decide, Policy, Sampling

POLICY = Policy(
    name="warm",
    sampling=Sampling(samples=1, temperature=0.9),
    decide=Decide(cuts=Cuts(answer=0, hedge=0, verify=0)),
)
REPLY = {
    "id": "x",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "1932"}, "finish_reason": "stop"}
    ],
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("of_client", "of_call", "sent"), [(None, None, 0.9), (0.3, None, 0.3), (0.3, 0.1, 0.1)]
)
def test_the_nearest_temperature_wins(
    of_client: float | None, of_call: float | None, sent: float
) -> None:
    client = {} if of_client is None else {"temperature": of_client}
    call = {} if of_call is None else {"temperature": of_call}

    with respx.mock(using="httpx") as wire:
        route = wire.post("https://api.openai.com/v1/chat/completions")
        route.mock(return_value=HttpResponse(200, json=REPLY))
        with UncertainLLM(
            "openai/gpt-4o-mini", policy=POLICY, log=None, api_key="k" * 8, **client
        ) as llm:
            llm.ask("When did the bridge open?", **call)

    assert f'"temperature":{sent}' in route.calls[0].request.content.decode().replace(" ", "")
