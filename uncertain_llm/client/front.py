"""`UncertainLLM` and `AsyncUncertainLLM`: ask a question, get an answer with its probability."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from uncertain_llm.client.assembly import (
    Assembly,
    Surroundings,
    resolve_model,
    resolve_policy,
    retry_settings,
)
from uncertain_llm.client.recorder import OnLogError, Recorder, Redact, Store
from uncertain_llm.core.chat import ChatMessage, ModelCall
from uncertain_llm.core.decision import Verdict
from uncertain_llm.core.ports import DecisionLog, Estimator, Hedger, Model, Signal, Verifier
from uncertain_llm.core.response import Response
from uncertain_llm.flow.complete import complete
from uncertain_llm.flow.defaults import pipeline_for
from uncertain_llm.flow.steps import Batch, Outcomes, VerifyClaim, VerifyFailure, arun, run
from uncertain_llm.policy import Policy
from uncertain_llm.providers.io_loop import shared_loop
from uncertain_llm.providers.retry import RequestBudget, perform_calls
from uncertain_llm.storage import default_log_url

__all__ = ["AsyncUncertainLLM", "Performer", "UncertainLLM"]


class _Client:
    """What both clients share: they differ only in how they wait."""

    def __init__(  # noqa: PLR0913 - the front door: one keyword for each part a user may replace
        self,
        model: str | Model,
        *,
        policy: str | Path | Policy = "balanced",
        log: str | DecisionLog | None = "default",
        store: Store = "full",
        redact: Redact | None = None,
        on_log_error: OnLogError = "warn",
        signals: Sequence[Signal] | None = None,
        estimator: Estimator | None = None,
        hedger: Hedger | None = None,
        verifier: Verifier | None = None,
        surroundings: Surroundings | None = None,
        **options: object,
    ) -> None:
        chosen = resolve_policy(policy)
        self._parts = Assembly(
            model=resolve_model(model, chosen, options),
            pipeline=pipeline_for(
                chosen, signals=signals, estimator=estimator, hedger=hedger, verifier=verifier
            ),
            recorder=Recorder(
                default_log_url() if log == "default" else log,
                store=store,
                redact=redact,
                on_log_error=on_log_error,
            ),
            surroundings=surroundings or Surroundings(),
        )
        self._owns_model = isinstance(model, str)

    @property
    def policy(self) -> Policy:
        """The policy that decides."""
        return self._parts.pipeline.policy

    @property
    def model(self) -> str:
        """The model's name."""
        return self._parts.model.name


class UncertainLLM(_Client):
    """Asks a model and decides, by your policy, whether to answer, hedge, verify or abstain.

    Safe to share between threads. Close it, or use it as a context manager.

    Args:
        model: A litellm model name ("openai/gpt-4o-mini", "ollama_chat/llama3.2", ...), a
            recording ("replay/demo", "replay/FILE.jsonl"), or an object that fits `Model`.
        policy: The name of a shipped policy ("balanced", "cautious", "measure_only"), a YAML
            file, or a `Policy`.
        log: Where decisions are kept: an SQLAlchemy URL, a `DecisionLog`, or None for no log.
            "default" is the environment variable UNCERTAIN_LLM_LOG, else a SQLite file
            `uncertain_llm.db` in the current folder.
        store: "full" keeps prompts and replies in the log, "hash" only a hash of the question.
        redact: Applied to every text before it is logged.
        on_log_error: "warn" returns the answer with a warning when the log cannot be written,
            "raise" raises `LogError`.
        signals: What to measure; None means answer agreement and, if the policy asks the model
            for it, the stated probability.
        estimator: Turns measurements into a probability; None means the shipped prior.
        hedger: Rewords answers; None means a template that leaves the answer's words alone.
        verifier: Looks again when the policy says verify; None means more samples.
        surroundings: Clock, ids and chance, for tests and audits.
        **options: Passed to the provider with every call (api_key=, api_base=, temperature=, ...).

    Raises:
        PolicyError: The policy is unknown or wrong.
        ConfigurationError: The model name is unknown, or a key is missing.

    Example:
        >>> with UncertainLLM("replay/demo", log=None) as llm:
        ...     reply = llm.ask("What is the capital of Australia?")
        >>> reply.delivered.value, reply.confidence.status.value
        ('answer', 'prior')
        >>> "Canberra" in reply.text
        True
    """

    def ask(
        self,
        prompt: str | Sequence[ChatMessage],
        *,
        task: str | None = None,
        labels: Mapping[str, str] | None = None,
        **options: object,
    ) -> Response:
        """Return the response to a question.

        Args:
            prompt: A question, or messages in the OpenAI shape.
            task: What kind of answer is expected ("math_numeric", "mcq", "short_qa", ...);
                None lets question and replies tell.
            labels: Slices for later reports, for example {"domain": "billing"}.
            **options: Passed to the provider with each call of this request.

        Raises:
            ModelCallError: No reply arrived; a subclass says why and whether to try again.
            ConfigurationError: The request could never work.
            LogError: Only with `on_log_error="raise"`.
        """
        parts = self._parts
        request = parts.request(prompt, task=task, labels=labels, options=options)
        flow = complete(request, parts.pipeline, label_draw=parts.surroundings.draw())
        perform = Performer(parts)
        response = run(flow, lambda batch: shared_loop().run(lambda: perform(batch)))
        return parts.recorder.write(request, response)

    def close(self) -> None:
        """Release connections and the log. Calling it twice is harmless."""
        if self._owns_model:
            shared_loop().run(self._parts.model.aclose)
        self._parts.recorder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class AsyncUncertainLLM(_Client):
    """The same client for async code; it works on the caller's own event loop.

    Context variables and cancellation are therefore those of the caller's task. Arguments are
    those of `UncertainLLM`.

    Example:
        >>> import asyncio
        >>> async def main() -> str:
        ...     async with AsyncUncertainLLM("replay/demo", log=None) as llm:
        ...         return (await llm.ask("What is the capital of Australia?")).text
        >>> "Canberra" in asyncio.run(main())
        True
    """

    async def ask(
        self,
        prompt: str | Sequence[ChatMessage],
        *,
        task: str | None = None,
        labels: Mapping[str, str] | None = None,
        **options: object,
    ) -> Response:
        """Return the response to a question; see `UncertainLLM.ask`."""
        parts = self._parts
        request = parts.request(prompt, task=task, labels=labels, options=options)
        flow = complete(request, parts.pipeline, label_draw=parts.surroundings.draw())
        response = await arun(flow, Performer(parts))
        # A log waits for the disk: not on the loop that serves other requests.
        return await asyncio.to_thread(parts.recorder.write, request, response)

    async def aclose(self) -> None:
        """Release connections and the log. Calling it twice is harmless."""
        if self._owns_model:
            await self._parts.model.aclose()
        self._parts.recorder.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Performer:
    """Carries out one request's batches; the retry budget lives as long as the request."""

    def __init__(self, parts: Assembly) -> None:
        self._parts = parts
        self._settings = retry_settings(parts.pipeline.policy)
        self._budget = RequestBudget(self._settings)

    async def __call__(self, batch: Batch) -> Outcomes:
        """Return the outcome of each effect, in order."""
        claims = [effect for effect in batch if isinstance(effect, VerifyClaim)]
        if claims:
            return tuple([await self._verify(claim) for claim in claims])
        calls = [effect for effect in batch if isinstance(effect, ModelCall)]
        return tuple(
            await perform_calls(
                self._parts.model, calls, settings=self._settings, budget=self._budget
            )
        )

    async def _verify(self, claim: VerifyClaim) -> Verdict | VerifyFailure:
        verifier = cast("Verifier", self._parts.pipeline.verifier)
        try:
            # A verifier may be a plain function that blocks: keep it off the loop.
            found = await asyncio.to_thread(verifier.verify, claim.request, claim.text)
            return await found if inspect.isawaitable(found) else found
        except Exception as error:  # noqa: BLE001 - a verifier's bug must not cost a paid answer
            return VerifyFailure(message=type(error).__name__)
