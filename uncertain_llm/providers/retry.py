"""Makes the calls of one request: all at once, retried under one shared budget.

The provider library never retries by itself: it repeats requests that cannot succeed, multiplies
the number asked for and ignores what the provider asked to wait (litellm 1.105, measured
November 2026). One `tenacity.AsyncRetrying` per call does it here instead, and all calls of a
request draw on one `RequestBudget`. Five samples that meet an outage then send five requests and
a few retries, not five times as many retries.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from uncertain_llm.core.base import Value
from uncertain_llm.core.chat import CallFailure, Generation, ModelCall
from uncertain_llm.core.errors import (
    CallTimeout,
    ConfigurationError,
    ModelCallError,
    RateLimited,
    UncertainLLMError,
)
from uncertain_llm.core.ports import Model
from uncertain_llm.providers.redaction import scrub

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["MODEL_BUG", "RequestBudget", "RetrySettings", "perform_calls"]

MODEL_BUG = "model_bug"
"""Code of a failure whose cause is an exception that a model is not allowed to raise."""


class RetrySettings(Value):
    """How often and how long a request may try again."""

    attempts: Annotated[int, Field(ge=1)] = 3
    """Requests that one call may send, the first one included."""
    retries: Annotated[int, Field(ge=0)] = 4
    """Retries of all calls of a request together: the one budget they share."""
    base_wait_seconds: Annotated[float, Field(ge=0)] = 0.5
    """The first wait is drawn from [half of it, it]; each further one doubles."""
    max_wait_seconds: Annotated[float, Field(ge=0)] = 30.0
    """A provider that asks for a longer wait is not asked again."""
    deadline_seconds: Annotated[float, Field(gt=0)] | None = None
    """Time for all calls of a request together, waits included. None sets no limit."""


class RequestBudget:
    """What is left of one request's retries and time. Make one per request; never share it.

    It is used on one event loop only and needs no lock.

    Args:
        settings: The limits; None takes the defaults.
        clock: Seconds on a clock that never goes back.
        sleep: Waits for so many seconds.
        jitter: Draws from [0, 1); it spreads the retries of calls that failed together.
    """

    def __init__(
        self,
        settings: RetrySettings | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        limits = RetrySettings() if settings is None else settings
        self.retries_left = limits.retries
        self.sleep = sleep
        self.jitter = jitter
        self._clock = clock
        self._deadline_seconds = limits.deadline_seconds
        self._begin = self._open_at = clock()

    def seconds_left(self) -> float | None:
        """Return the time until the deadline, at least 0; None when there is no deadline."""
        if self._deadline_seconds is None:
            return None
        return max(0.0, self._begin + self._deadline_seconds - self._clock())

    def seconds_paused(self) -> float:
        """Return how long all calls of the request still have to hold back, at least 0."""
        return max(0.0, self._open_at - self._clock())

    def pause(self, seconds: float) -> None:
        """Hold back every call of the request for so long; a longer pause in force stays."""
        self._open_at = max(self._open_at, self._clock() + seconds)

    def take_retry(self) -> bool:
        """Use up one retry of the request; False when none is left."""
        if self.retries_left <= 0:
            return False
        self.retries_left -= 1
        return True


async def perform_calls(
    model: Model, calls: Sequence[ModelCall], *, settings: RetrySettings, budget: RequestBudget
) -> list[Generation | CallFailure]:
    """Return what came of each call, in the order of `calls`.

    All calls run at the same time. A call that fails is a value, not an exception, and does not
    disturb the others. Only cancellation and `KeyboardInterrupt` leave this function; they
    cancel all calls in flight first.

    Args:
        model: Makes single requests and does not retry.
        calls: Any number; none gives an empty list.
        settings: The limits of each call.
        budget: The request's own; pass the same one for each batch of a request.

    Returns:
        A `Generation` or a `CallFailure` for each call. Where a call was tried several times,
        its `attempts`, `started_at` and `seconds` span all of them.
    """
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_Attempts(model, call, settings, budget).perform()) for call in calls
        ]
    return [task.result() for task in tasks]


class _Attempts:
    """One call with its retries."""

    def __init__(
        self, model: Model, call: ModelCall, settings: RetrySettings, budget: RequestBudget
    ) -> None:
        self._model = model
        self._call = call
        self._settings = settings
        self._budget = budget
        self._n_sent = 0
        self._started_at = datetime.now(UTC)
        self._start = time.perf_counter()

    async def perform(self) -> Generation | CallFailure:
        # Imported here: `import uncertain_llm` must not pay for it.
        from tenacity import AsyncRetrying, retry_if_exception

        retrying = AsyncRetrying(
            sleep=self._budget.sleep,
            retry=retry_if_exception(_is_retryable),
            wait=self._wait_seconds,
            stop=self._must_stop,
            reraise=True,
        )
        try:
            return self._stamped(await retrying(self._attempt))
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # Nobody cancelled this call: the model raised it on its own account.
            return self._failure(error, code=MODEL_BUG, message=_bug_message(error))
        except UncertainLLMError as error:
            return self._failure(error, code=error.code, message=str(error))
        except Exception as error:  # noqa: BLE001 - a user's model may raise anything
            return self._failure(_safe_to_raise(error), code=MODEL_BUG, message=_bug_message(error))

    async def _attempt(self) -> Generation:
        await self._wait_while_paused()
        left = self._budget.seconds_left()
        if left == 0.0:
            raise self._too_late("not sent")
        try:
            async with asyncio.timeout(left) as limit:
                outcome = await self._model.generate(self._call)
        except ConfigurationError:
            raise  # nothing was sent
        except ModelCallError as error:
            self._n_sent += error.attempts
            if error.retryable and error.retry_after_seconds is not None:
                self._budget.pause(error.retry_after_seconds)
            raise
        except Exception as error:
            self._n_sent += 1
            if isinstance(error, TimeoutError) and limit.expired():
                raise self._too_late("no reply") from error
            raise
        if not isinstance(outcome, Generation):
            raise TypeError(f"generate() returned {type(outcome).__name__}, expected Generation")
        self._n_sent += outcome.attempts
        return outcome

    async def _wait_while_paused(self) -> None:
        while (paused := self._budget.seconds_paused()) > 0.0:
            if not self._may_wait(paused):
                raise RateLimited(
                    f"{self._call.model}: not sent, because the provider asked to wait "
                    f"{paused:.0f} s, longer than this request may wait",
                    retryable=True,
                    retry_after_seconds=paused,
                    attempts=0,
                )
            await self._budget.sleep(paused)

    def _wait_seconds(self, state: RetryCallState) -> float:
        """Return how long to wait after a failed attempt.

        Exponential backoff with equal jitter, but at least the pause in force: after that the
        calls it held back come back one by one.

        Source:
            Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, March 2015.
        """
        base, jitter = self._settings.base_wait_seconds, self._budget.jitter()
        # 2.0**1024 would overflow; the limit is reached long before that.
        doubled = base * 2.0 ** min(state.attempt_number - 1, 60)
        backoff = min(self._settings.max_wait_seconds, doubled) * (0.5 + 0.5 * jitter)
        paused = self._budget.seconds_paused()
        return backoff if paused <= backoff else paused + jitter * min(base, paused)

    def _must_stop(self, state: RetryCallState) -> bool:
        """Decide after a retryable failure; tenacity has worked out the wait by then."""
        if state.attempt_number >= self._settings.attempts:
            return True
        return not (self._may_wait(state.upcoming_sleep) and self._budget.take_retry())

    def _may_wait(self, seconds: float) -> bool:
        left = self._budget.seconds_left()
        # The pause that a provider asked for is what is limited, not the jitter on top of it.
        asked = min(seconds, max(self._budget.seconds_paused(), self._settings.max_wait_seconds))
        return asked <= self._settings.max_wait_seconds and (left is None or seconds < left)

    def _too_late(self, what: str) -> CallTimeout:
        return CallTimeout(
            f"{self._call.model}: {what} before the request's deadline of "
            f"{self._settings.deadline_seconds} s; raise deadline_seconds",
            attempts=self._n_sent,
        )

    def _stamped(self, generation: Generation) -> Generation:
        """Return the reply with what only the retry loop and the call know."""
        update: dict[str, object] = {
            "purpose": self._call.purpose,
            "index": self._call.index,
            "elicits": self._call.elicits,
        }
        if self._n_sent > generation.attempts:
            update["attempts"] = self._n_sent
            update["started_at"] = self._started_at
            update["seconds"] = time.perf_counter() - self._start
        return generation.model_copy(update=update)

    def _failure(self, error: BaseException, *, code: str, message: str) -> CallFailure:
        return CallFailure(
            purpose=self._call.purpose,
            index=self._call.index,
            model_asked=self._call.model,
            code=code,
            message=scrub(message),
            attempts=self._n_sent,
            retryable=isinstance(error, ModelCallError) and error.retryable,
            started_at=self._started_at,
            seconds=time.perf_counter() - self._start,
            elicits=self._call.elicits,
            error=error,
        )


def _is_retryable(error: BaseException) -> bool:
    return isinstance(error, ModelCallError) and error.retryable


def _bug_message(error: BaseException) -> str:
    # The text of a foreign exception may hold anything, so only its type is told.
    return (
        f"the model raised {type(error).__name__}, which is no ModelCallError; "
        "see the error's __cause__, or fix the model's generate()"
    )


def _safe_to_raise(error: Exception) -> Exception:
    """Return the error in a form that ends no generator or iterator when it is raised again."""
    if not isinstance(error, StopIteration | StopAsyncIteration):
        return error
    wrapped = RuntimeError(f"the model raised {type(error).__name__}")
    wrapped.__cause__ = error
    return wrapped
