"""Pairs that read alike and differ, and pairs that look different and agree."""

from __future__ import annotations

import pytest

from uncertain_llm.text.canonical import same_answer

SAME = [
    ("1990s", "1990s", None, None),
    ("the 90s", "the 1990s", None, None),
    ("1 km", "1000 m", None, None),
    ("minus seven", "-7", None, None),
    ("J. K. Rowling", "Joanne Rowling", "Who wrote it?", None),
    ("JK Rowling", "Rowling", "Who wrote it?", None),
    ("$20", "20 USD", None, None),
    ("£20", "20 pounds", "How much does it cost?", None),
    ("20 US dollars", "$20.00", None, None),
    ("25%", "1/4", None, None),
    ("25%", "0.25", None, None),
    ("25%", "25", "What percentage?", None),
    ("3.1416", "3.14159", None, None),
    ("2,5", "2.5", None, None),
    ("1914\u20131918", "1914 to 1918", None, None),
    ("10 to 20", "10-20", None, None),
    ("3rd", "third", None, None),
    ("the third", "3", None, None),
    ("Henry VIII", "Henry the Eighth", None, None),
    ("Henry VIII", "Henry 8", None, None),
    ("100 °C", "212 °F", None, None),
    ("20 °C", "293.15 K", None, None),
    ("1 hour and 30 minutes", "90 minutes", None, None),
    ("1 h 30 min", "1.5 hours", None, None),
    ("5 feet 10 inches", "70 inches", None, None),
    ("5'10\"", "5 feet 10 inches", "How tall is he?", None),
    ("2 years and 6 months", "30 months", None, None),
    ("12 \\text{ m}^2", "12", None, "math_numeric"),
    ("12 m^2", "12 square meters", None, None),
    ("12 cm^3", "12 cubic centimeters", None, None),
    ("Beijing", "Peking", None, None),
    ("Bombay", "Mumbai", None, None),
    ("New York", "New York City", "Which city is it?", None),
    ("Washington", "Washington, D.C.", "What is the capital?", None),
    ("Congo", "Republic of the Congo", None, None),
    ("Barack Obama", "President Obama", "Who?", None),
    ("Obama", "Michelle Obama", "Who?", None),
    ("Mt. Fuji", "Mount Fuji", None, None),
    ("St. Louis", "Saint Louis", None, None),
    ("St Petersburg", "Saint Petersburg", None, None),
    ("colour", "color", None, None),
    ("aluminium", "aluminum", None, None),
    ("grey", "gray", None, None),
    ("3 million", "3,000,000", None, None),
    ("a dozen", "12", None, None),
    ("two dozen", "24", None, None),
    ("3 pm", "15:00", None, None),
    ("3:00 PM", "3 p.m.", None, None),
    ("1/2", "2/4", None, None),
    ("\\frac12", "0.5", None, "math_numeric"),
    ("2\\sqrt{3}", "\\sqrt{12}", None, "math_numeric"),
    ("\\{1,2\\}", "{2, 1}", None, "math_numeric"),
    ("x \\in [0,1]", "[0,1]", None, "math_numeric"),
    ("x=2 or x=3", "2, 3", None, "math_numeric"),
    ("\\pm 3", "3, -3", None, "math_numeric"),
    ("x \\geq 3", "x >= 3", None, "math_numeric"),
    ("at least 3", "3 or more", None, None),
    ("June 5", "5 June", None, None),
    ("06/05/2020", "June 5, 2020", None, None),
    ("2020-06-05", "5 June 2020", None, None),
    ("19th century", "nineteenth century", None, None),
    ("500 BC", "500 BCE", None, None),
    ("5 kg", "5000 g", None, None),
    ("16 oz", "1 lb", None, None),
    ("1 GB", "1000 MB", None, None),
    ("36 km/h", "10 m/s", None, None),
]

DIFFERENT = [
    ("the 1990s", "1990", None, None),
    ("1 km", "1000 km", None, None),
    ("It is safe.", "It is not safe.", None, None),
    ("safe", "unsafe", None, None),
    ("-7", "7", None, None),
    ("North Korea", "Korea", None, None),
    ("North Korea", "South Korea", None, None),
    ("Georgia", "Georgia Tech", None, None),
    ("J. K. Rowling", "Robert Galbraith", "Who wrote it?", None),
    ("$20", "€20", None, None),
    ("25%", "25", "How many?", None),
    ("100", "100%", None, None),
    ("3.1", "3.2", None, None),
    ("1914-1918", "1914", None, None),
    ("10-20", "20-30", None, None),
    ("3rd", "4th", None, None),
    ("Louis XIV", "Louis XVI", None, None),
    ("100 °C", "100 °F", None, None),
    ("0 °C", "32 °C", None, None),
    ("1 hour 30 minutes", "1 hour", None, None),
    ("12 m^2", "12 m", None, None),
    ("Washington State", "Washington, D.C.", None, None),
    ("Republic of the Congo", "Democratic Republic of the Congo", None, None),
    ("Guinea", "Guinea-Bissau", None, None),
    ("Niger", "Nigeria", None, None),
    ("Dominica", "Dominican Republic", None, None),
    ("Austria", "Australia", None, None),
    ("China", "Republic of China", None, None),
    ("Ireland", "Northern Ireland", None, None),
    ("George H. W. Bush", "George W. Bush", "Who was president?", None),
    ("Martin Luther", "Martin Luther King", None, None),
    ("Elizabeth I", "Elizabeth II", None, None),
    ("nitrogen gas", "nitrogen", None, None),
    ("H2O", "H2O2", None, None),
    ("O", "O2", None, None),
    ("3 million", "3 billion", None, None),
    ("3 am", "3 pm", None, None),
    ("[1,2]", "(1,2)", None, "math_numeric"),
    ("x > 3", "x < 3", None, "math_numeric"),
    ("(3, \\infty)", "x > 3", None, "math_numeric"),
    ("increase", "decrease", None, None),
    ("left", "right", None, None),
    ("before 1900", "after 1900", None, None),
    ("before 1900", "1900", None, None),
    ("more than 50", "50", None, None),
    ("5 per day", "5 per week", None, None),
    ("$5 per hour", "$5 per day", None, None),
    ("Monday", "Tuesday", None, None),
    ("June 2020", "July 2020", None, None),
    ("19th century", "1900s", None, None),
    ("500 BC", "500 AD", None, None),
    ("5 kg", "5 lb", None, None),
    ("60 km/h", "60 mph", None, None),
]


@pytest.mark.parametrize(("left", "right", "question", "task"), SAME)
def test_pairs_in_other_words_agree(
    left: str, right: str, question: str | None, task: str | None
) -> None:
    assert same_answer(left, right, question=question, task=task)
    assert same_answer(right, left, question=question, task=task)


@pytest.mark.parametrize(("left", "right", "question", "task"), DIFFERENT)
def test_pairs_that_read_alike_differ(
    left: str, right: str, question: str | None, task: str | None
) -> None:
    assert not same_answer(left, right, question=question, task=task)
    assert not same_answer(right, left, question=question, task=task)
