"""Driving a flow: both drivers, failures as values, interruptions."""

from __future__ import annotations

import asyncio
from collections.abc import Generator

import pytest

from uncertain_llm.flow.steps import (
    Batch,
    Done,
    Flow,
    Outcomes,
    VerifyFailure,
    advance,
    arun,
    run,
)


def _counting(rounds: int, closed: list[bool]) -> Flow[list[str]]:
    heard: list[str] = []
    try:
        for _ in range(rounds):
            outcomes = yield ()
            heard.extend(o.message for o in outcomes if isinstance(o, VerifyFailure))
    finally:
        closed.append(True)
    return heard


def _answers(message: str) -> Outcomes:
    return (VerifyFailure(message=message),)


def test_outcomes_come_back_in_the_order_of_the_batches() -> None:
    replies = iter(["one", "two", "three"])

    heard = run(_counting(3, []), lambda batch: _answers(next(replies)))

    assert heard == ["one", "two", "three"]


def test_both_drivers_end_with_the_same_value() -> None:
    async def perform(batch: Batch) -> Outcomes:
        await asyncio.sleep(0)
        return _answers("same")

    sync = run(_counting(2, []), lambda batch: _answers("same"))

    assert asyncio.run(arun(_counting(2, []), perform)) == sync


def test_a_flow_that_needs_nothing_ends_at_once() -> None:
    assert advance(_counting(0, []), None) == Done([])


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError, StopIteration])
def test_whatever_interrupts_the_performer_closes_the_flow(error: type[BaseException]) -> None:
    """StopIteration too: a performer's own must not be mistaken for the flow's end."""
    closed: list[bool] = []

    def perform(batch: Batch) -> Outcomes:
        raise error

    with pytest.raises(error):
        run(_counting(1, closed), perform)
    assert closed == [True]


def test_cancelling_the_task_closes_the_flow() -> None:
    closed: list[bool] = []

    async def forever(batch: Batch) -> Outcomes:
        await asyncio.Event().wait()
        return ()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(arun(_counting(1, closed), forever), 0.01)

    asyncio.run(main())

    assert closed == [True]


def test_an_error_of_the_flow_itself_reaches_the_caller() -> None:
    def failing() -> Generator[Batch, Outcomes, None]:
        yield ()
        raise LookupError("lost")

    with pytest.raises(LookupError, match="lost"):
        run(failing(), lambda batch: ())
