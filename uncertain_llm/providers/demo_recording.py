"""The questions behind `replay/demo`, with what is right: for the demo's summary, never for scores.

The model of the recording does not expose labels; this module is the only way to them.
"""

from __future__ import annotations

from typing import cast

from pydantic import Field

from uncertain_llm.core.base import Value
from uncertain_llm.providers.replay_model import DEMO_PATH, Row, read_rows

__all__ = ["DemoQuestion", "demo_questions"]


class DemoQuestion(Value):
    """One recorded question and what is known about its replies."""

    id: str
    question: str
    task: str
    domain: str
    reference: str | None
    """The right answer; None where the question cannot be answered."""
    kind: str
    """How the question was made, for example "arithmetic", "fact" or "unanswerable"."""
    answerable: bool
    """False where the right reply declines, or corrects the premise."""
    right: tuple[bool, ...] = Field(repr=False)
    """For each recorded reply, whether it is right."""

    @property
    def n_samples(self) -> int:
        """The number of recorded replies."""
        return len(self.right)

    def is_right(self, sample_index: int) -> bool:
        """Tell whether the recorded reply with this index is right.

        Raises:
            IndexError: There is no such reply.
        """
        if not 0 <= sample_index < len(self.right):
            raise IndexError(f"sample_index {sample_index} is outside 0..{len(self.right) - 1}")
        return self.right[sample_index]


def demo_questions() -> tuple[DemoQuestion, ...]:
    """Return the demo's questions in the order of the recording.

    Example:
        >>> questions = demo_questions()
        >>> len(questions), questions[0].question
        (127, 'How many minutes are there in a full day?')
        >>> questions[0].is_right(0)
        True
    """
    return tuple(_question(row) for row in read_rows(DEMO_PATH))


def _question(row: Row) -> DemoQuestion:
    labels = cast("Row", row["labels"])
    samples = cast("list[Row]", row["samples"])
    return DemoQuestion.model_validate(
        {
            **{key: row[key] for key in ("id", "question", "task", "domain", "reference")},
            "kind": labels["kind"],
            "answerable": labels["answerable"],
            "right": [sample["correct"] for sample in samples],
        }
    )
