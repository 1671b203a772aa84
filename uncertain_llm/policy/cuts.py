"""Thresholds on a probability."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from uncertain_llm.core.base import Unit, Value

__all__ = ["Cuts"]


class Cuts(Value):
    """Thresholds on the probability of being right; each action needs at least its cut.

    At or above `answer` the text is shown as it is; at or above `hedge` it is reworded; at or
    above `verify` it is looked at again; below all of them it is withheld. Equal cuts switch the
    lower action off.
    """

    answer: Unit
    hedge: Unit
    verify: Unit

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.answer >= self.hedge >= self.verify:
            raise ValueError(
                "cuts must fall from answer over hedge to verify, got "
                f"answer {self.answer:g}, hedge {self.hedge:g}, verify {self.verify:g}"
            )
        return self

    def stricter(self, other: Cuts) -> Cuts:
        """Return the higher of each pair of cuts."""
        return Cuts(
            answer=max(self.answer, other.answer),
            hedge=max(self.hedge, other.hedge),
            verify=max(self.verify, other.verify),
        )
