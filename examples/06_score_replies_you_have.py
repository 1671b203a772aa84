"""Score replies you already have: no model is called. Runs offline."""

from collections.abc import Mapping

from uncertain_llm import assess

QUESTION = "In which year did the bridge open?"
CASES: dict[str, list[str | Mapping[str, object]]] = {
    "three agree": ["It opened in 1932.", "**1932**", "The answer is 1932."],
    "two against one": ["It opened in 1932.", "1932", "I believe it was 1934."],
    "all differ": ["1930", "1932", "1934"],
    "one reply": ["It opened in 1932."],
    "with stated probabilities": [
        {"text": "It opened in 1932.", "confidence": 0.98},
        {"text": "1932", "confidence": 0.95},
    ],
}


def main() -> None:
    for name, replies in CASES.items():
        found = assess(replies, QUESTION)
        probability = found.confidence.probability
        shown = found.confidence.missing if probability is None else f"{probability:.2f}"
        status = found.confidence.status.value
        print(f"{name}: {found.answer} -> {found.decision.action.value} ({status}: {shown})")


if __name__ == "__main__":
    main()
