"""Real requests through litellm to a local server that misbehaves."""

from __future__ import annotations

import asyncio
import gc
import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_world import Served

from uncertain_llm.client import AsyncUncertainLLM, UncertainLLM
from uncertain_llm.core.errors import UncertainLLMError
from uncertain_llm.core.response import Response
from uncertain_llm.policy import Cuts, Decide, Limits, Policy, Sampling

QUESTION = "What is the capital of Australia?"

pytestmark = [
    # litellm 1.105 leaves sockets of its own to the garbage collector, and some of its types make
    # pydantic warn, which it silences for itself at import (pytest switches that on again).
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore:Item '.*' on TypedDict class:UserWarning"),
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

    assert time.monotonic() - begin < 10
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
