"""Where a response came from: every call, what it used and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from uncertain_llm.core.base import unchecked
from uncertain_llm.core.chat import CallFailure, Generation, Request, TokenUsage
from uncertain_llm.core.response import CallRecord, Provenance
from uncertain_llm.flow.gather import Replies
from uncertain_llm.flow.limits import limits_reached
from uncertain_llm.flow.pipeline import Pipeline

__all__ = ["account", "call_record"]

_provenance = unchecked(Provenance)
_call_record = unchecked(CallRecord)


def account(request: Request, pipeline: Pipeline, replies: Replies) -> Provenance:
    """Return the account of all calls that were made, or tried, for a request."""
    calls = (*replies.generations, *replies.failures, *replies.side_calls)
    arrived = [call for call in calls if isinstance(call, Generation)]
    started = min(call.started_at for call in calls)
    ended = max(call.started_at + timedelta(seconds=call.seconds) for call in calls)
    return _provenance(
        library_version=pipeline.library_version,
        fingerprint=pipeline.fingerprint(request.model),
        calls=tuple(call_record(call) for call in calls),
        n_requested=replies.evidence.n_requested,
        n_received=replies.n_received,
        n_failed=len(replies.failures),
        usage=_total_usage([call.usage for call in arrived]),
        cost_usd=_total([call.cost_usd for call in arrived]),
        seconds=(ended - started).total_seconds(),
        started_at=started,
        verifier=None if pipeline.verifier is None else pipeline.verifier.name,
        limits_reached=limits_reached(replies),
    )


def call_record(call: Generation | CallFailure) -> CallRecord:
    """Return what provenance keeps of one call: no prompt, no reply, no key."""
    if isinstance(call, CallFailure):
        return _call_record(
            purpose=call.purpose,
            index=call.index,
            model_asked=call.model_asked,
            started_at=call.started_at,
            seconds=call.seconds,
            attempts=call.attempts,
            elicits=call.elicits,
            error_code=call.code,
            error_message=call.message,
        )
    return _call_record(
        purpose=call.purpose,
        index=call.index,
        model_asked=call.model_asked,
        model_replied=call.model_replied,
        provider=call.provider,
        response_id=call.response_id,
        from_cache=call.from_cache,
        usage=call.usage,
        cost_usd=call.cost_usd,
        started_at=call.started_at,
        seconds=call.seconds,
        attempts=call.attempts,
        temperature=call.temperature,
        temperature_asked=call.temperature_asked,
        seed=call.seed,
        system_fingerprint=call.system_fingerprint,
        finish_reason=call.finish_reason,
        elicits=call.elicits,
    )


def _total(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _total_usage(usages: Sequence[TokenUsage]) -> TokenUsage:
    if len(usages) == 1:
        return usages[0]

    def total(field: str) -> int | None:
        value = _total([getattr(usage, field) for usage in usages])
        return None if value is None else int(value)

    return TokenUsage(**{field: total(field) for field in TokenUsage.model_fields})
