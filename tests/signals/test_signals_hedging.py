from __future__ import annotations

from datetime import UTC, datetime

from uncertain_llm.core.chat import Request
from uncertain_llm.core.confidence import Clustering, Evidence, Sample
from uncertain_llm.core.decision import Refusal, RefusalKind
from uncertain_llm.signals.hedging import Decisiveness


def _evidence(answer: Sample) -> Evidence:
    return Evidence(
        question="When?", answer=answer, samples=(answer,), n_requested=1, clustering=Clustering()
    )


def test_a_hedged_answer_measures_lower_than_a_plain_one() -> None:
    plain = Decisiveness().measure(_evidence(Sample(text="It opened in 1932.")))
    hedged = Decisiveness().measure(_evidence(Sample(text="It might have opened in 1932.")))

    assert plain.value == 1.0
    assert hedged.value is not None
    assert hedged.value < 0.5
    assert hedged.details["n_claims"] == 1


def test_an_answer_without_text_a_claim_or_an_answer_is_missing_with_the_reason() -> None:
    refusal = Refusal(kind=RefusalKind.NORMATIVE, why="provider_field")

    assert Decisiveness().measure(_evidence(Sample(answer="4"))).missing == "no_text"
    assert Decisiveness().measure(_evidence(Sample(text="  "))).missing == "empty"
    refused = Decisiveness().measure(_evidence(Sample(text="No.", refusal=refusal)))
    assert (refused.value, refused.missing) == (None, "refusal")


def test_it_costs_nothing_beyond_the_answer() -> None:
    signal = Decisiveness()
    request = Request(id="1", created_at=datetime(2026, 11, 1, tzinfo=UTC), model="m", messages=())

    assert (signal.needs.samples, signal.needs.stated_probability) == (1, False)
    assert signal.follow_ups(request, _evidence(Sample(text="4"))) == ()
