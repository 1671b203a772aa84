"""Which calls a request makes: the fewest that serve the policy and all signals."""

from __future__ import annotations

from collections.abc import Mapping

from uncertain_llm.core.chat import CallPurpose, Elicitation, Mode, ModelCall, Request
from uncertain_llm.core.confidence import Evidence
from uncertain_llm.flow.gather import Replies
from uncertain_llm.flow.pipeline import Pipeline
from uncertain_llm.policy import StatedProbabilityMode
from uncertain_llm.signals.verbalized import with_inline_instruction

__all__ = ["follow_up_calls", "plan_calls", "verification_calls"]

# Options that shape the caller's answer; a follow-up question is another question. What remains
# (keys, addresses, headers) says how to reach the model.
_SHAPES_THE_ANSWER = frozenset(
    {
        "temperature",
        "top_p",
        "top_k",
        "n",
        "stop",
        "max_tokens",
        "max_completion_tokens",
        "presence_penalty",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "top_logprobs",
        "response_format",
        "seed",
        "prediction",
        "reasoning_effort",
        "thinking",
        "verbosity",
        "user",
        "stream",
        "stream_options",
    }
)


def plan_calls(request: Request, pipeline: Pipeline) -> tuple[ModelCall, ...]:
    """Return the answer call and its witnesses, to be made at the same time.

    In annotate mode the answer call carries the caller's own messages and nothing else; in
    enforce mode the prompt is ours, so every reply may be asked for its probability.
    """
    n = pipeline.n_samples
    return tuple(_call(request, pipeline, index) for index in range(n))


def follow_up_calls(
    request: Request, pipeline: Pipeline, evidence: Evidence
) -> tuple[tuple[str, ModelCall], ...]:
    """Return the extra calls that the signals want, each with the name of its signal."""
    reach = {k: v for k, v in request.options.items() if k not in _SHAPES_THE_ANSWER}
    return tuple(
        (signal.name, _completed(call, request, reach))
        for signal in pipeline.signals
        for call in signal.follow_ups(request, evidence)
    )


def _completed(call: ModelCall, request: Request, reach: Mapping[str, object]) -> ModelCall:
    """Return a signal's call with what it takes to reach the model."""
    options = {**reach, **call.options}
    return call.model_copy(update={"options": options, "question": request.question})


def verification_calls(
    request: Request, pipeline: Pipeline, replies: Replies
) -> tuple[ModelCall, ...]:
    """Return further calls of the same question, numbered on from those already made."""
    first = replies.evidence.n_requested
    extra = pipeline.policy.verify.extra_samples
    return tuple(
        _call(request, pipeline, index, purpose=CallPurpose.VERIFY)
        for index in range(first, first + extra)
    )


def _call(
    request: Request, pipeline: Pipeline, index: int, *, purpose: CallPurpose | None = None
) -> ModelCall:
    is_answer = index == 0
    elicits = _elicits(request, pipeline, is_answer=is_answer)
    messages = request.messages if elicits is None else with_inline_instruction(request.messages)
    given = request.options.get("temperature")
    return ModelCall(
        purpose=purpose or (CallPurpose.ANSWER if is_answer else CallPurpose.SAMPLE),
        index=index,
        model=request.model,
        messages=messages,
        options=request.options,
        temperature=pipeline.policy.sampling.temperature if given is None else None,
        elicits=elicits,
        question=request.question,
    )


def _elicits(request: Request, pipeline: Pipeline, *, is_answer: bool) -> Elicitation | None:
    if pipeline.policy.sampling.stated_probability is not StatedProbabilityMode.INLINE:
        return None
    if "response_format" in request.options:
        # A line after the JSON would break the shape that the caller asked for.
        return None
    untouched = request.mode is Mode.ANNOTATE and is_answer
    return None if untouched else Elicitation.INLINE_PROBABILITY
