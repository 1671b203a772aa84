"""Asks the user's verifier: whatever it does, the answer that was paid for is not lost."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import threading
from collections.abc import Callable
from concurrent.futures import Future

from uncertain_llm.core.decision import Verdict
from uncertain_llm.core.errors import BudgetExceeded
from uncertain_llm.core.ports import Verifier
from uncertain_llm.flow.steps import VerifyClaim, VerifyFailure
from uncertain_llm.providers.request_budget import RequestBudget
from uncertain_llm.providers.waits import Waits

__all__ = ["MAX_LEFT_BEHIND", "ask_verifier"]

MAX_LEFT_BEHIND = 64
"""Turns of plain-function verifiers that may still run after their deadline, in one process.

A thread cannot be ended. A verifier that never returns would otherwise add one for each request,
until the system has no more.
"""


async def ask_verifier(
    verifier: Verifier, claim: VerifyClaim, budget: RequestBudget, waits: Waits
) -> Verdict | VerifyFailure:
    """Return the verdict, or why there is none; its turn counts as a call of the request.

    A plain function runs in a thread of its own and may block. At the deadline, or when the client
    is closed, it is left alone, since a thread cannot be ended; a coroutine is cancelled. Once
    `MAX_LEFT_BEHIND` turns are left running no verifier is asked, until one of them returns.
    """
    not_asked = _why_not_asked(budget)
    if not_asked is not None:
        return not_asked
    try:
        async with waits.turn(budget.seconds_left()) as turn:
            found = await _in_thread(lambda: verifier.verify(claim.request, claim.text))
            if inspect.isawaitable(found):
                found = await found
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        return _failure(error)  # nobody cancelled the request: it is the verifier's own
    except TimeoutError as error:
        if turn.is_ended:
            return VerifyFailure(message="the client was closed")
        return _failure(error, limit="deadline_seconds" if turn.deadline.expired() else None)
    except Exception as error:  # noqa: BLE001 - a verifier's bug must not cost a paid answer
        return _failure(error)
    if isinstance(found, _Raised):
        return _failure(found.error)
    if not isinstance(found, Verdict):
        return VerifyFailure(message=f"{type(found).__name__} instead of a Verdict")
    return found


def _why_not_asked(budget: RequestBudget) -> VerifyFailure | None:
    if _LeftBehind.count >= MAX_LEFT_BEHIND:
        return VerifyFailure(
            message=f"not asked: {_LeftBehind.count} of its earlier turns have not returned; "
            "give what it waits for a timeout, or write it as a coroutine"
        )
    try:
        budget.take_call()
    except BudgetExceeded as error:
        return VerifyFailure(message=str(error), limit=error.limit)
    return None


class _LeftBehind:
    """How many turns go on that nobody waits for any more."""

    count = 0
    lock = threading.Lock()


class _Turn:
    """One turn of a plain function: it ends, and whoever waits for it leaves, in either order."""

    def __init__(self) -> None:
        self._is_over = False
        self._is_left = False

    def end(self) -> None:
        with _LeftBehind.lock:
            self._is_over = True
            _LeftBehind.count -= self._is_left

    def leave(self) -> None:
        with _LeftBehind.lock:
            if not self._is_over:
                self._is_left = True
                _LeftBehind.count += 1


class _Raised:
    """What a function raised; `StopIteration`, for one, can be raised into no future."""

    def __init__(self, error: BaseException) -> None:
        self.error = error


async def _in_thread(function: Callable[[], object]) -> object:
    """Return what a function that may block returns, or raised.

    Not on the loop's pool: functions that never return would fill it, and what the loop and the
    exit of the process wait for would never end.
    """
    done: Future[object] = Future()
    done.set_running_or_notify_cancel()
    context = contextvars.copy_context()
    turn = _Turn()

    def work() -> None:
        try:
            done.set_result(context.run(function))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - it is told, see above
            done.set_result(_Raised(error))
        except BaseException as error:  # noqa: BLE001 - an interrupt is the waiting side's
            done.set_exception(error)
        finally:
            turn.end()

    threading.Thread(target=work, name="uncertain-llm-verifier", daemon=True).start()
    try:
        return await asyncio.wrap_future(done)
    finally:
        turn.leave()


def _failure(error: BaseException, *, limit: str | None = None) -> VerifyFailure:
    # The text of a foreign exception may hold anything, so only its type is told.
    return VerifyFailure(message=type(error).__name__, limit=limit)
