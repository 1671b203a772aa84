"""Real requests through litellm to a local server that misbehaves."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import fault_world
import pytest
from fault_world import ALWAYS_ANSWER, Served
from fault_world import policy as fault_policy

from uncertain_llm.client import AsyncUncertainLLM, UncertainLLM
from uncertain_llm.core.errors import UncertainLLMError
from uncertain_llm.core.response import Response
from uncertain_llm.policy import Cuts, Decide, Limits, Policy, Sampling
from uncertain_llm.signals.agreement import AnswerAgreement
from uncertain_llm.signals.judge import OtherFamilyJudge

QUESTION = "What is the capital of Australia?"

pytestmark = [
    # litellm 1.105 leaves sockets of its own to the garbage collector, and some of its types make
    # pydantic warn, which it silences for itself at import (pytest switches that on again).
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:Items? '.*' on TypedDict class:UserWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
]


def policy(samples: int = 3, **limits: object) -> Policy:
    return Policy(
        name="faults",
        sampling=Sampling(samples=samples),
        decide=Decide(cuts=Cuts(answer=0.5, hedge=0, verify=0)),
        limits=Limits(**{"retries": 4, **limits}),
    )


def ask_sync(served: Served, model: str, **limits: object) -> Response:
    with UncertainLLM(
        f"openai/{model}", policy=policy(**limits), log=None, api_base=served.base, api_key="none"
    ) as llm:
        return llm.ask(QUESTION)


def ask_async(served: Served, model: str, **limits: object) -> Response:
    async def main() -> Response:
        async with AsyncUncertainLLM(
            f"openai/{model}",
            policy=policy(**limits),
            log=None,
            api_base=served.base,
            api_key="none",
        ) as llm:
            return await llm.ask(QUESTION)

    return asyncio.run(main())


BOTH = pytest.mark.parametrize("ask", [ask_sync, ask_async])


def named(kinds: str, ask: Callable[..., Response]) -> str:
    """The server counts by name, and words that it does not know are served as "ok"."""
    return f"{kinds}-{ask.__name__}"


@BOTH
@pytest.mark.parametrize("fault", ["429", "500", "503", "cut", "html", "empty"])
def test_a_fault_that_passes_is_retried_and_costs_nothing(
    served: Served, fault: str, ask: Callable[..., Response]
) -> None:
    model = named(f"{fault}-ok", ask)

    response = ask(served, model)

    assert response.answer == "Canberra."
    assert (response.provenance.n_failed, served.n_requests(model)) == (0, 4)


@BOTH
@pytest.mark.parametrize("fault", ["500", "cut", "html", "empty"])
def test_a_fault_that_stays_is_sent_few_requests_and_is_a_typed_error(
    served: Served, fault: str, ask: Callable[..., Response]
) -> None:
    model = "-".join([fault] * 20 + [ask.__name__])

    with pytest.raises(UncertainLLMError) as caught:
        ask(served, model, retries=2)

    assert caught.value.code == "unavailable"
    assert served.n_requests(model) == 3 + 2


@BOTH
def test_a_server_that_hangs_is_left_at_the_deadline(
    served: Served, ask: Callable[..., Response]
) -> None:
    begin = time.monotonic()

    response = ask(served, named("ok-hang-ok", ask), deadline_seconds=1.0)

    assert time.monotonic() - begin < 30
    codes = Counter(c.error_code for c in response.provenance.calls)
    assert (codes[None], codes["cancelled"]) == (2, 1)


@BOTH
def test_one_response_id_for_all_replies_is_no_agreement(
    served: Served, ask: Callable[..., Response]
) -> None:
    response = ask(served, f"same-same-same-{ask.__name__}")

    assert len(response.evidence.clustering.duplicates) == 2
    assert response.confidence.measurement("answer_agreement").value is None


@BOTH
def test_no_more_requests_are_sent_than_the_budget_allows(
    served: Served, ask: Callable[..., Response]
) -> None:
    model = named("500-ok-ok", ask)

    response = ask(served, model, max_calls=3)

    assert served.n_requests(model) == 3
    assert response.provenance.limits_reached == ("max_calls",)


@pytest.mark.parametrize(("kind", "n_requests"), [("ok", 1), ("ignores_n", 3)])
def test_one_request_for_several_replies_is_made_up_for_where_it_is_not_honoured(
    served: Served, kind: str, n_requests: int
) -> None:
    model = f"{kind}-{kind}-{kind}-native"
    joined = policy().model_copy(update={"sampling": Sampling(samples=3, native_n=True)})

    with UncertainLLM(
        f"openai/{model}", policy=joined, log=None, api_base=served.base, api_key="none"
    ) as llm:
        response = llm.ask(QUESTION)

    assert served.n_requests(model) == n_requests
    assert (response.provenance.n_received, response.evidence.clustering.duplicates) == (3, ())


def test_a_client_that_is_closed_while_it_asks_ends_what_it_asks(served: Served) -> None:
    async def main() -> object:
        llm = AsyncUncertainLLM(
            "openai/hang-hang-hang-closing",
            policy=policy(timeout_seconds=5, attempts=1),
            log=None,
            api_base=served.base,
            api_key="none",
        )
        asked = asyncio.create_task(llm.ask(QUESTION))
        while served.n_requests("hang-hang-hang-closing") < 3:  # noqa: ASYNC110 - another loop's
            await asyncio.sleep(0.01)
        await llm.aclose()
        (result,) = await asyncio.gather(asked, return_exceptions=True)
        return result

    assert isinstance(asyncio.run(main()), UncertainLLMError)


ASIDES = ("other-family judge", "equivalence judge", "probe")
FAULTS = {
    "429": "rate_limited",
    "500": "unavailable",
    "cut": "unavailable",
    "html": "unavailable",
    "empty": "unavailable",
    "hang": "cancelled",
}


def aside(served: Served, position: str, fault: str, name: str) -> tuple[str, dict[str, object]]:
    """Return the model whose fourth request meets the fault, and the client's arguments.

    The judge of another family is a model of its own, and meets the fault first.
    """
    limits = {"deadline_seconds": 1.0 if fault == "hang" else None}
    sampling = {
        "other-family judge": {},
        "equivalence judge": {"equivalence": "judge"},
        "probe": {"probe": "paraphrase"},
    }[position]
    last = "other" if position == "equivalence judge" else "ok"
    own, judge = f"ok-ok-{last}-{fault}-{name}", f"{fault}-judge-{name}"
    parts: dict[str, object] = {
        "policy": fault_policy(
            ALWAYS_ANSWER, {"stated_probability": "inline", **sampling}, **limits
        ),
        "api_base": served.base,
        "api_key": "none",
    }
    if position != "other-family judge":
        return own, parts
    reach = {"api_base": served.base, "api_key": "none"}
    judging = OtherFamilyJudge(model=f"openai/{judge}", options=reach)
    return f"ok-{fault}x{name}", {**parts, "signals": (AnswerAgreement(samples=3), judging)}


def check_aside(response: Response, code: str) -> None:
    assert response.answer == "Canberra."
    failed = [c.error_code for c in response.provenance.calls if c.error_code is not None]
    assert failed == [code]
    assert any(f"({code})" in warning for warning in response.warnings)
    assert "judge" not in response.evidence.clustering.merges
    for signal in ("other_family_judge", "probe_agreement"):
        measured = response.confidence.measurement(signal)
        assert measured is None or measured.value is None


@BOTH
@pytest.mark.parametrize("position", ASIDES)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_beside_the_answer_costs_no_answer_and_is_in_the_record(
    served: Served, fault: str, position: str, ask: Callable[..., Response]
) -> None:
    name = f"{ASIDES.index(position)}{ask.__name__}"
    model, parts = aside(served, position, fault, name)
    client = fault_world.ask_sync if ask is ask_sync else fault_world.ask_async

    begin = time.monotonic()
    response = client(f"openai/{model}", parts.pop("policy"), **parts)

    check_aside(response, FAULTS[fault])
    own = served.n_requests(model)
    assert own + served.n_requests(f"{fault}-judge-{name}") == 4
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("position", ASIDES)
def test_a_client_closed_beside_the_answer_still_gives_the_answer(
    served: Served, position: str
) -> None:
    name = f"{ASIDES.index(position)}closing"
    model, parts = aside(served, position, "hang", name)
    n_asked = (model, 4) if position != "other-family judge" else (f"hang-judge-{name}", 1)

    async def main() -> Response:
        llm = AsyncUncertainLLM(f"openai/{model}", log=None, **parts)
        asked = asyncio.create_task(llm.ask(QUESTION))
        while served.n_requests(n_asked[0]) < n_asked[1]:  # noqa: ASYNC110 - another loop's
            await asyncio.sleep(0.01)
        await llm.aclose()
        return await asked

    response = asyncio.run(main())

    assert response.answer == "Canberra."
    assert [c.error_code is None for c in response.provenance.calls] == [True] * 3 + [False]


HANGING = {
    "answer and samples": ("hang-hang-hang", 3),
    "sample": ("ok-ok-hang", 3),
    "follow-up": ("ok-ok-ok-hang", 4),
    "second look": ("ok-ok-ok-hang-hang", 5),
}


def closing(served: Served, position: str, name: str) -> tuple[str, int, dict[str, object]]:
    """Return the model that hangs at a position, its requests until then, and the arguments."""
    words, n_asked = HANGING[position]
    sampling = {"stated_probability": "follow_up" if position == "follow-up" else "off"}
    decide = fault_world.ALWAYS_VERIFY if position == "second look" else ALWAYS_ANSWER
    chosen = fault_policy(decide, sampling, deadline_seconds=None, timeout_seconds=60)
    model = f"{words}-{name}{list(HANGING).index(position)}"
    reach = {"api_base": served.base, "api_key": "none"}
    return model, n_asked, {"policy": chosen, "log": None, **reach}


def hangs(served: Served, llm: UncertainLLM | AsyncUncertainLLM, model: str, n_asked: int) -> bool:
    """Tell whether all was sent, and nothing is awaited but what never comes."""
    in_flight = llm._parts.limiters.of(f"openai/{model}").in_flight
    return served.n_requests(model) == n_asked and in_flight == model.count("hang")


def check_closed(result: object, position: str) -> None:
    """What had arrived is an answer; what was in flight ended with an error that has a name."""
    if position == "answer and samples":
        assert isinstance(result, UncertainLLMError)
        return
    assert isinstance(result, Response), result
    assert result.answer.startswith("Canberra.")
    assert any(call.error_code is not None for call in result.provenance.calls)


@pytest.mark.parametrize("position", HANGING)
def test_closing_the_client_ends_what_is_in_flight_and_keeps_what_had_arrived(
    served: Served, position: str
) -> None:
    model, n_asked, parts = closing(served, position, "aclosing")

    async def main() -> object:
        llm = AsyncUncertainLLM(f"openai/{model}", **parts)
        asked = asyncio.create_task(llm.ask(QUESTION))
        while not hangs(served, llm, model, n_asked):  # noqa: ASYNC110 - another loop's
            await asyncio.sleep(0.01)
        await llm.aclose()
        async with asyncio.timeout(20):
            (result,) = await asyncio.gather(asked, return_exceptions=True)
        return result

    check_closed(asyncio.run(main()), position)


@pytest.mark.parametrize("position", HANGING)
def test_closing_the_sync_client_from_another_thread_does_the_same(
    served: Served, position: str
) -> None:
    model, n_asked, parts = closing(served, position, "closing")
    llm = UncertainLLM(f"openai/{model}", **parts)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(llm.ask, QUESTION)
        while not hangs(served, llm, model, n_asked):
            time.sleep(0.01)
        llm.close()
        error = asked.exception(20)

    check_closed(asked.result() if error is None else error, position)


def test_closing_one_of_two_clients_ends_its_own_calls_alone(served: Served) -> None:
    """They share the loop and its connections, which stay open for the other one."""
    ours, n_ours, parts = closing(served, "answer and samples", "ours")
    other, n_other, _ = closing(served, "answer and samples", "other")
    one, two = UncertainLLM(f"openai/{ours}", **parts), UncertainLLM(f"openai/{other}", **parts)

    with ThreadPoolExecutor(2) as pool:
        asked, still = pool.submit(one.ask, QUESTION), pool.submit(two.ask, QUESTION)
        while not (hangs(served, one, ours, n_ours) and hangs(served, two, other, n_other)):
            time.sleep(0.01)
        one.close()
        ended = asked.exception(20)
        is_other_open = not still.done()
        two.close()
        still.exception(20)

    assert isinstance(ended, UncertainLLMError)
    assert "the client was closed" in str(ended)
    assert is_other_open


@pytest.mark.parametrize("position", ASIDES)
def test_a_sync_client_closed_beside_the_answer_still_gives_the_answer(
    served: Served, position: str
) -> None:
    name = f"{ASIDES.index(position)}shutting"
    model, parts = aside(served, position, "hang", name)
    hanging, n_asked = (f"hang-judge-{name}", 1) if position == "other-family judge" else (model, 4)
    llm = UncertainLLM(f"openai/{model}", log=None, **parts)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(llm.ask, QUESTION)
        while served.n_requests(hanging) < n_asked:
            time.sleep(0.01)
        llm.close()
        response = asked.result(20)

    assert response.answer == "Canberra."
    assert [c.error_code is None for c in response.provenance.calls] == [True] * 3 + [False]


def test_requests_together_meet_a_provider_s_limit_without_losing_an_answer(
    served: Served,
) -> None:
    async def main() -> list[Response]:
        async with AsyncUncertainLLM(
            "openai/limit8", policy=policy(), log=None, api_base=served.base, api_key="none"
        ) as llm:
            return await asyncio.gather(*(llm.ask(QUESTION) for _ in range(20)))

    responses = asyncio.run(main())

    assert {response.answer for response in responses} == {"Canberra."}
    assert served.n_requests("limit8") < 3 * 60


def _resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


async def _until_logged() -> None:
    """Wait for litellm: it writes its own log in tasks that outlast the calls by some moments."""
    async with asyncio.timeout(10):
        while any("LoggingWorker._process" in repr(task) for task in asyncio.all_tasks()):  # noqa: ASYNC110 - litellm's own
            await asyncio.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_ten_thousand_requests_leave_no_growing_memory_sockets_or_tasks(served: Served) -> None:
    async def main() -> tuple[list[int], list[int], list[int]]:
        sizes, sockets, tasks = [], [], []
        async with AsyncUncertainLLM(
            "openai/ok-soak",
            policy=policy(samples=1),
            log=None,
            api_base=served.base,
            api_key="none",
        ) as llm:
            for _ in range(10):
                for _ in range(20):
                    await asyncio.gather(*(llm.ask(QUESTION) for _ in range(50)))
                await _until_logged()
                gc.collect()
                sizes.append(_resident_bytes())
                sockets.append(len(os.listdir("/proc/self/fd")))
                tasks.append(len(asyncio.all_tasks()))
        return sizes, sockets, tasks

    sizes, sockets, tasks = asyncio.run(main())

    # litellm fills caches of its own during the first thousands of calls. What is left for the
    # second half is less than 4 kB a request: no response is kept.
    assert sizes[-1] - sizes[4] < 5000 * 4096
    assert max(sockets[2:]) <= sockets[1] + 20
    assert max(tasks) <= tasks[0] + 5
