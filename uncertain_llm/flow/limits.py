"""What the policy's limits did to a request: which were reached, and what to say about it."""

from __future__ import annotations

from dataclasses import replace

from uncertain_llm.core.chat import CallFailure, Generation
from uncertain_llm.core.errors import BudgetExceeded
from uncertain_llm.flow.gather import Replies
from uncertain_llm.flow.steps import Outcome, VerifyFailure
from uncertain_llm.policy import Policy

__all__ = ["limit_of", "limit_warnings", "limited_by", "limits_reached"]


def limits_reached(replies: Replies) -> tuple[str, ...]:
    """Return the fields of the policy's `limits` that kept calls from being made or ended them."""
    found = {limit_of(call) for call in (*replies.failures, *replies.side_calls)}
    return tuple(sorted({limit for limit in (*found, *replies.limited_by) if limit is not None}))


def limit_of(outcome: Outcome) -> str | None:
    """Return the limit that an outcome is due to; None when it is due to none."""
    if isinstance(outcome, VerifyFailure):
        return outcome.limit
    if isinstance(outcome, CallFailure) and isinstance(outcome.error, BudgetExceeded):
        return outcome.error.limit
    return None


def limited_by(replies: Replies, outcome: Outcome) -> Replies:
    """Return the replies with the limit noted that kept a verifier from its verdict, if one did."""
    limit = limit_of(outcome)
    return replies if limit is None else replace(replies, limited_by=(*replies.limited_by, limit))


def limit_warnings(policy: Policy, replies: Replies) -> tuple[str, ...]:
    """Return a sentence for the limits that were reached, and one for each that cannot count."""
    found = []
    if reached := limits_reached(replies):
        names = ", ".join(f"{name} {getattr(policy.limits, name):g}" for name in reached)
        found.append(f"the request's budget was used up ({names}); decided with what was there")
    calls = [c for c in (*replies.generations, *replies.side_calls) if isinstance(c, Generation)]
    blind = sum(call.usage.input_tokens is None for call in calls)
    if policy.limits.max_tokens is not None and blind:
        found.append(f"limits.max_tokens could not count {blind} replies without token counts")
    priceless = sum(call.cost_usd is None for call in calls)
    if policy.limits.max_cost_usd is not None and priceless:
        found.append(f"limits.max_cost_usd could not count {priceless} replies of unknown price")
    return tuple(found)
