"""The values of a response, most of them made without checks, would pass every check."""

from __future__ import annotations

from collections.abc import Iterator

from uncertain_llm.client import UncertainLLM
from uncertain_llm.core.base import Value
from uncertain_llm.core.response import Response
from uncertain_llm.dropin.verdict import verdict_of
from uncertain_llm.policy import Cuts, Decide, Policy, Sampling
from uncertain_llm.testing import ScriptedModel

REPLIES = [
    "It opened in 1932.\nConfidence: 97%",
    "I don't know.",
    "In 1934, I think.",
    RuntimeError("lost"),
]


def values_in(found: object) -> Iterator[Value]:
    if isinstance(found, Value):
        yield found
        for field in type(found).model_fields:
            yield from values_in(getattr(found, field))
    elif isinstance(found, tuple | list):
        for part in found:
            yield from values_in(part)


def answered() -> Response:
    decide = Decide(cuts=Cuts(answer=0.8, hedge=0.6, verify=0.4))
    policy = Policy(name="t", sampling=Sampling(samples=4, temperature=1), decide=decide)
    with UncertainLLM(ScriptedModel(REPLIES), policy=policy, log=None) as llm:
        return llm.ask("In which year did the bridge open?", labels={"domain": "bridges"})


def test_every_value_of_a_response_has_exactly_the_types_that_are_declared() -> None:
    response = answered()

    found = [*values_in(response), *values_in(verdict_of(response))]

    assert {"Sample", "CallRecord", "Provenance"} <= {type(value).__name__ for value in found}
    for value in found:
        assert type(value).model_validate(value.__dict__, strict=True) == value
