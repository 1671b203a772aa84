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
        """Return the higher of each pair of cuts.

        Args:
            other: The cuts beside these.

        Example:
            >>> mine = Cuts(answer=0.9, hedge=0.5, verify=0.3)
            >>> found = mine.stricter(Cuts(answer=0.8, hedge=0.6, verify=0.6))
            >>> found.answer, found.hedge, found.verify
            (0.9, 0.6, 0.6)
        """
        return Cuts(
            answer=max(self.answer, other.answer),
            hedge=max(self.hedge, other.hedge),
            verify=max(self.verify, other.verify),
        )
