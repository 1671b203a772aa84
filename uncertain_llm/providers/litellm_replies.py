"""From a litellm reply object to a `Generation`. Reads attributes only; needs no litellm."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from uncertain_llm.core.chat import Generation, ModelCall, TokenUsage
from uncertain_llm.core.errors import ProviderUnavailable

__all__ = ["generation_from_reply"]


def generation_from_reply(
    reply: object,
    call: ModelCall,
    *,
    started_at: datetime,
    seconds: float,
    provider: str | None = None,
    temperature: float | None = None,
    seed: int | None = None,
) -> Generation:
    """Return what a reply of litellm says, as a value; its first choice if it has several.

    Args:
        reply: A `litellm.ModelResponse`, or anything with its attributes.
        call: The call that it answers.
        started_at: When the request was sent, with a time zone.
        seconds: How long it took, >= 0.
        provider: litellm's name of the provider, used where the reply does not tell it.
        temperature: What was really sent; None if it was not.
        seed: What was really sent; None if it was not.

    Returns:
        The generation. Tokens and price that the provider did not report are None: litellm
        itself reports them as 0.

    Raises:
        ProviderUnavailable: The reply holds no choice; retryable.
    """
    choices = getattr(reply, "choices", None)
    if not isinstance(choices, list | tuple) or not choices:
        raise ProviderUnavailable(
            f"{call.model}: the provider sent a reply without any choice", retryable=True
        )
    choice = choices[0]
    message = getattr(choice, "message", None)
    hidden = _mapping(getattr(reply, "_hidden_params", None))
    usage = _usage(getattr(reply, "usage", None))
    return Generation(
        purpose=call.purpose,
        index=call.index,
        text=_text(getattr(message, "content", None)),
        finish_reason=_string(getattr(choice, "finish_reason", None)),
        refusal_text=_refusal(message),
        model_asked=call.model,
        model_replied=_string(getattr(reply, "model", None)),
        provider=_string(hidden.get("custom_llm_provider")) or provider,
        response_id=_string(getattr(reply, "id", None)),
        from_cache=hidden.get("cache_hit") is True,
        usage=usage,
        cost_usd=_cost(hidden.get("response_cost"), usage),
        started_at=started_at,
        seconds=seconds,
        temperature=temperature,
        seed=seed,
        system_fingerprint=_string(getattr(reply, "system_fingerprint", None)),
        elicits=call.elicits,
        has_tool_calls=bool(getattr(message, "tool_calls", None)),
        raw=reply,
    )


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list | tuple):
        return ""
    parts = [_mapping(part) for part in content]
    return "".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))


def _refusal(message: object) -> str | None:
    # Up to litellm 1.106 the field is among the provider's own, from 1.109 on it is the message's.
    own = _mapping(getattr(message, "provider_specific_fields", None))
    return _string(getattr(message, "refusal", None)) or _string(own.get("refusal"))


def _usage(usage: object) -> TokenUsage:
    prompt = _count(getattr(usage, "prompt_tokens", None))
    if not prompt:
        # Every prompt has a token, so litellm filled in zeros for a count it did not get.
        return TokenUsage()
    prompt_details = getattr(usage, "prompt_tokens_details", None)
    completion_details = getattr(usage, "completion_tokens_details", None)
    return TokenUsage(
        input_tokens=prompt,
        output_tokens=_count(getattr(usage, "completion_tokens", None)),
        cached_input_tokens=_count(getattr(prompt_details, "cached_tokens", None)),
        reasoning_tokens=_count(getattr(completion_details, "reasoning_tokens", None)),
    )


def _cost(cost: object, usage: TokenUsage) -> float | None:
    # Without a token count litellm's price is 0, which would claim that the call was free.
    if usage.input_tokens is None or isinstance(cost, bool) or not isinstance(cost, int | float):
        return None
    return float(cost)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, Mapping) else {}
