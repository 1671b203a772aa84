"""Each fault at each position, through both clients: the answer survives, the record says so."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable

import pytest

from uncertain_llm.client import AsyncUncertainLLM, UncertainLLM
from uncertain_llm.core.chat import CallPurpose, ModelCall
from uncertain_llm.core.errors import (
    CallTimeout,
    ProviderRejected,
    ProviderUnavailable,
    RateLimited,
    UncertainLLMError,
)
from uncertain_llm.core.response import Response
from uncertain_llm.policy import Audit, Cuts, Decide, Limits, Policy, Sampling, Verification
from uncertain_llm.providers.limiter import Limiters
from uncertain_llm.testing import FunctionModel, Reply

QUESTION = "In which year did the bridge open?"

POLICY = Policy(
    name="faults",
    sampling=Sampling(samples=3, stated_probability="follow_up"),
    # Only agreement of all is enough, so that the second look is always taken.
    decide=Decide(cuts=Cuts(answer=1, hedge=1, verify=0)),
    verify=Verification(extra_samples=2),
    audit=Audit(rate=0),
    limits=Limits(attempts=1, retries=0, max_wait_seconds=0, deadline_seconds=0.4),
)
POSITIONS = {
    "answer": (CallPurpose.ANSWER, 0),
    "first sample": (CallPurpose.SAMPLE, 1),
    "last sample": (CallPurpose.SAMPLE, 2),
    "follow-up": (CallPurpose.FOLLOW_UP, 0),
    "second look": (CallPurpose.VERIFY, 3),
}


async def hang() -> str:
    await asyncio.Event().wait()
    return ""


def fail(error: BaseException) -> Callable[[], object]:
    def act() -> object:
        raise error

    return act


FAULTS: dict[str, tuple[Callable[[], object], str | None]] = {
    "429": (fail(RateLimited("slow", retryable=True)), "rate_limited"),
    "500": (fail(ProviderUnavailable("down", retryable=True)), "unavailable"),
    "timeout": (fail(CallTimeout("late", retryable=True)), "timeout"),
    "400": (fail(ProviderRejected("no")), "rejected"),
    "a bug in the model": (fail(ZeroDivisionError("x")), "model_bug"),
    "a stray cancellation": (fail(asyncio.CancelledError()), "model_bug"),
    "a hanging call": (hang, "cancelled"),
    "an empty reply": (lambda: Reply(text=""), None),
    "a cut-off reply": (lambda: Reply(text="It op", finish_reason="length"), None),
}


def model_with(position: str, act: Callable[[], object]) -> FunctionModel:
    purpose, index = POSITIONS[position]

    async def answer(call: ModelCall) -> object:
        if call.purpose is purpose and call.index == index:
            outcome = act()
            return await outcome if asyncio.iscoroutine(outcome) else outcome
        return "70%" if call.purpose is CallPurpose.FOLLOW_UP else "It opened in 1932."

    return FunctionModel(answer)


def ask_sync(model: FunctionModel) -> Response:
    with UncertainLLM(model, policy=POLICY, log=None) as llm:
        return llm.ask(QUESTION)


def ask_async(model: FunctionModel) -> Response:
    async def main() -> Response:
        async with AsyncUncertainLLM(model, policy=POLICY, log=None) as llm:
            return await llm.ask(QUESTION)

    return asyncio.run(main())


def account(response: Response) -> list[object]:
    return [
        *(sorted((c.purpose, c.index, c.error_code or "") for c in response.provenance.calls)),
        response.answer,
        response.delivered,
        response.confidence.probability,
        response.warnings,
    ]


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_anywhere_costs_no_answer_and_is_in_the_record(fault: str, position: str) -> None:
    act, code = FAULTS[fault]

    sync, other = (ask(model_with(position, act)) for ask in (ask_sync, ask_async))

    codes = Counter(c.error_code for c in sync.provenance.calls if c.error_code is not None)
    late = codes.pop("budget_exceeded", 0)
    assert codes == Counter([code] if code is not None else [])
    assert late == 0 or code == "cancelled"
    assert sync.answer == "It opened in 1932."
    assert account(sync) == account(other)


@pytest.mark.parametrize("fault", [f for f, (_, code) in FAULTS.items() if code is not None])
def test_a_fault_in_every_call_is_one_typed_error(fault: str) -> None:
    act, _ = FAULTS[fault]

    async def answer(call: ModelCall) -> object:
        outcome = act()
        return await outcome if asyncio.iscoroutine(outcome) else outcome

    kinds = []
    for ask in (ask_sync, ask_async):
        with pytest.raises(UncertainLLMError) as caught:
            ask(FunctionModel(answer))
        kinds.append((type(caught.value), str(caught.value)))

    assert kinds[0] == kinds[1]


class Watched:
    """Hangs at one position, and knows which calls were begun and which ended."""

    name = "watched"

    def __init__(self, position: str, begin: Callable[[], None] = lambda: None) -> None:
        self.place = POSITIONS[position]
        self.begin = begin
        self.is_over = False
        self.n_cancelled = 0

    def model(self) -> FunctionModel:
        async def answer(call: ModelCall) -> str:
            if (call.purpose, call.index) == self.place and not self.is_over:
                self.begin()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.n_cancelled += 1
                    raise
            return "70%" if call.purpose is CallPurpose.FOLLOW_UP else "It opened in 1932."

        return FunctionModel(answer, name=self.name)


PATIENT = POLICY.model_copy(update={"limits": Limits(attempts=1, retries=0)})


def in_flight(limiters: Limiters) -> int:
    return limiters.of(Watched.name).in_flight


@pytest.mark.parametrize("position", POSITIONS)
def test_ctrl_c_ends_the_calls_and_the_client_goes_on(position: str) -> None:
    watched = Watched(position, lambda: os.kill(os.getpid(), signal.SIGINT))

    with UncertainLLM(watched.model(), policy=PATIENT, log=None) as llm:
        with pytest.raises(KeyboardInterrupt):
            llm.ask(QUESTION)
        watched.is_over = True

        assert llm.ask(QUESTION).answer == "It opened in 1932."
        assert (watched.n_cancelled, in_flight(llm._parts.limiters)) == (1, 0)


@pytest.mark.parametrize("position", POSITIONS)
def test_a_timeout_of_the_caller_ends_the_calls_and_the_client_goes_on(position: str) -> None:
    watched = Watched(position)

    async def main() -> tuple[str, int]:
        async with AsyncUncertainLLM(watched.model(), policy=PATIENT, log=None) as llm:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.1):
                    await llm.ask(QUESTION)
            watched.is_over = True
            return (await llm.ask(QUESTION)).answer, in_flight(llm._parts.limiters)

    assert asyncio.run(main()) == ("It opened in 1932.", 0)
    assert watched.n_cancelled == 1


def test_the_record_of_a_fault_holds_none_of_its_text() -> None:
    secret = "sk-live-0123456789abcdefghij"

    response = ask_sync(model_with("last sample", fail(ValueError(secret))))

    assert secret not in json.dumps(json.loads(response.model_dump_json()))
