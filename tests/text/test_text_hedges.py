from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uncertain_llm.text.hedges import decisiveness, marker_for, phrase_probability


def _score(text: str) -> float:
    score = decisiveness(text).score
    assert score is not None
    return score


@pytest.mark.parametrize(
    "text",
    [
        "It opened in 1932.",
        "You may download the file.",
        "It can be installed with pip.",
        "It opened in May 1932.",
        '"It might rain", he said.',
        "`might()` returns 1.",
        "Twice as likely as men.",
        "This could not be true.",
        "You can't divide by zero.",
        "It is impossible to divide by zero.",
        "A certain amount of time passed.",
        "The tax is 5%.",
        "Paris. Would you like to know more?",
    ],
)
def test_what_is_no_doubt_about_a_fact_leaves_a_plain_assertion(text: str) -> None:
    assert decisiveness(text).score == 1.0


def test_hedges_order_sentences_the_way_people_do() -> None:
    ordered = [
        "It opened in 1932.",
        "It almost certainly opened in 1932.",
        "It probably opened in 1932.",
        "I think it opened in 1932.",
        "It could have opened in 1932.",
        "It might have opened in 1932.",
        "It is highly unlikely that it opened in 1932.",
    ]

    scores = [_score(text) for text in ordered]

    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


def test_an_explicit_probability_wins_over_every_hedge() -> None:
    assert _score("Perhaps there is a 70% chance of rain.") == pytest.approx(0.7)
    assert _score("I might be wrong, but I'm 90% sure.") == pytest.approx(0.9)


def test_a_booster_adds_nothing() -> None:
    assert _score("It definitely opened in 1932.") < _score("It opened in 1932.")


def test_negated_certainty_and_a_question_are_doubt() -> None:
    assert _score("It isn't clear who won.") == pytest.approx(0.3)
    assert _score("Was it 1932?") == pytest.approx(0.3)


def test_the_strongest_hedge_of_a_sentence_counts() -> None:
    assert _score("It might be about 5, I think.") == _score("It might be five.")


def test_the_whole_is_the_mean_over_claims_with_the_least_decisive_beside_it() -> None:
    found = decisiveness("Note:\nIt opened in 1932. It might be red. Hope this helps!")

    assert [s.hedge for s in found.sentences] == [None, "might"]
    assert found.score == pytest.approx((1.0 + found.sentences[1].score) / 2)
    assert found.minimum == found.sentences[1].score


def test_sentence_spans_point_into_the_text() -> None:
    text = "It opened in 1932. It might be red."

    assert [text[s.start : s.end] for s in decisiveness(text).sentences] == [
        "It opened in 1932.",
        "It might be red.",
    ]


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("", "empty"),
        ("  ", "empty"),
        ("```\nx = 1\n```", "no_claim"),
        ("Hope this helps!", "no_claim"),
        ("Sorry, I can't help with that.", "refusal"),
        ("I don't know.", "refusal"),
    ],
)
def test_a_text_that_claims_nothing_has_no_score_but_a_reason(text: str, missing: str) -> None:
    found = decisiveness(text)

    assert found.score is None
    assert found.minimum is None
    assert found.missing == missing


# Medians of the 46 answers of zonination/perceptions; 123 other people are in the table as well.
@pytest.mark.parametrize(
    ("phrase", "median"),
    [
        ("Almost certainly", 0.95),
        ("Highly likely", 0.9),
        ("Very good chance", 0.8),
        ("Likely", 0.7),
        ("Better than even", 0.6),
        ("About even", 0.5),
        ("Unlikely", 0.2),
        ("Little chance", 0.15),
        ("Highly unlikely", 0.05),
        ("Almost no chance", 0.02),
    ],
)
def test_phrases_are_read_as_surveyed_people_read_them(phrase: str, median: float) -> None:
    reading = phrase_probability(phrase)

    assert reading is not None
    assert reading.median == pytest.approx(median, abs=0.05)
    assert reading.low <= reading.median <= reading.high
    assert reading.n_people == 169


def test_a_phrase_nobody_was_asked_about_says_so() -> None:
    reading = phrase_probability("fairly sure")

    assert reading is not None
    assert reading.n_people == 0
    assert phrase_probability("the pressure is 5") is None


@given(st.floats(0, 1))
def test_the_marker_is_never_further_from_the_probability_than_another_one(p: float) -> None:
    medians = [marker_for(i / 1000).median for i in range(0, 1001, 10)]

    assert abs(marker_for(p).median - p) <= min(abs(m - p) for m in medians) + 1e-12


def test_markers_rise_with_the_probability_and_avoid_wide_words() -> None:
    chosen = [marker_for(i / 100) for i in range(101)]

    assert [m.median for m in chosen] == sorted(m.median for m in chosen)
    assert not {m.phrase for m in chosen} & {"might", "maybe", "possibly", "could"}


@pytest.mark.parametrize("p", [-0.1, 1.1, float("nan")])
def test_a_marker_needs_a_probability(p: float) -> None:
    with pytest.raises(ValueError, match="p must be in"):
        marker_for(p)


@given(st.text())
def test_any_text_has_scores_in_range_or_a_reason(text: str) -> None:
    found = decisiveness(text)

    assert (found.score is None) == (found.missing is not None)
    assert all(0.0 <= s.score <= 1.0 for s in found.sentences)


@pytest.mark.parametrize(
    "piece",
    [
        "looks a bit like ",
        "i have a feeling ",
        "may ",
        "likely ",
        "1. ",
        "0.8 to ",
        "more research ",
        "50% ",
        "not very ",
        "e.g.",
    ],
)
def test_hostile_input_is_read_in_linear_time(piece: str) -> None:
    text = "It is " + piece * (100_000 // len(piece))
    begin = time.process_time()

    decisiveness(text)

    assert time.process_time() - begin < 2.0


def test_broken_and_foreign_text_and_a_megabyte_are_read() -> None:
    assert decisiveness("\ud800\u202e\u53ef\u80fd").score == 1.0
    assert _score("It may be. " * 100_000) == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    "hedged",
    [
        "I have a feeling that the mill burned down.",
        "I wouldn't be surprised if the mill burned down.",
        "The traces hint that the mill burned down.",
        "That looks a bit like a burned mill.",
        "It cannot be ruled out that the mill burned down.",
        "It's conceivable that the mill burned down.",
        "I vaguely recall that the mill burned down.",
        "I'm told that the mill burned down.",
    ],
)
def test_a_claim_held_at_arms_length_is_less_decisive_than_a_plain_one(hedged: str) -> None:
    plain, held = decisiveness("The mill burned down.").score, decisiveness(hedged).score

    assert plain is not None
    assert held is not None
    assert held < plain
