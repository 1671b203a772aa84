"""Costs in place of thresholds: what each action loses, and the cuts that follow."""

from __future__ import annotations

import math
from typing import Annotated, Self

from pydantic import Field, model_validator

from uncertain_llm.core.base import Unit, Value
from uncertain_llm.core.decision import Action
from uncertain_llm.policy.cuts import Cuts

__all__ = ["Costs", "cuts_from_costs"]

_Cost = Annotated[float, Field(ge=0)]


class Costs(Value):
    """What things cost, all in one unit of your choice (money, minutes, complaints)."""

    wrong: Annotated[float, Field(gt=0)]
    """A wrong answer shown as it is."""
    hedged_wrong_share: Unit = 0.5
    """Share of that harm which a word of caution leaves: 1 if nobody reads it."""
    hedge: _Cost = 0.0
    """The friction of a hedge, also on a right answer."""
    verify: _Cost = 0.0
    """Looking again: calls, a search, a person."""
    verified_wrong_share: Unit = 0.1
    """Share of the harm of a wrong answer that looking again lets through."""
    abstain: _Cost = 0.0
    """Withholding an answer: a queue, a second channel, waiting."""
    withheld_right: _Cost = 0.0
    """The value that is lost when a right answer is withheld."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.verified_wrong_share > self.hedged_wrong_share:
            raise ValueError(
                "verified_wrong_share must not exceed hedged_wrong_share: looking again must stop "
                f"more harm than a word of caution, got {self.verified_wrong_share:g} and "
                f"{self.hedged_wrong_share:g}"
            )
        return self

    def losses(self, probability: float) -> dict[Action, float]:
        """Return the expected loss of each action at a probability of being right.

        Args:
            probability: P(right), in [0, 1].

        Returns:
            Loss of each of the four actions, in the unit of the costs: what it costs in any case,
            and the harm of a wrong answer that it lets through.

        Example:
            >>> costs = Costs(wrong=10, hedge=1, verify=2, abstain=3)
            >>> {action.value: loss for action, loss in costs.losses(0.9).items()}
            {'answer': 1.0, 'hedge': 1.5, 'verify': 2.1, 'abstain': 3.0}
        """
        wrong = 1.0 - probability
        return {
            action: round(fixed + harm * wrong, 12) for action, (fixed, harm) in self._lines.items()
        }

    @property
    def _lines(self) -> dict[Action, tuple[float, float]]:
        """Loss at p = 1, and what each unit of 1 - p adds; the second falls down the list."""
        return {
            Action.ANSWER: (0.0, self.wrong),
            Action.HEDGE: (self.hedge, self.hedged_wrong_share * self.wrong),
            Action.VERIFY: (self.verify, self.verified_wrong_share * self.wrong),
            Action.ABSTAIN: (self.abstain + self.withheld_right, -self.withheld_right),
        }


def cuts_from_costs(costs: Costs) -> Cuts:
    """Return the cuts at which each action has the least expected loss.

    An action that is nowhere the cheapest drops out: its cut equals the one above it. On a tie the
    action that shows more wins.

    Args:
        costs: What things cost.

    Returns:
        Cuts in [0, 1] that fall from answer over hedge to verify.

    Source:
        Chow (1970), IEEE Trans. Inf. Theory 16(1), 41-46, with four actions in place of two: L is
        linear in p, so the best actions follow each other along p.

    Example:
        >>> cuts = cuts_from_costs(Costs(wrong=10, hedge=1, verify=2, abstain=3))
        >>> cuts.answer, cuts.hedge, cuts.verify
        (0.8, 0.75, 0.0)
    """
    lines = costs._lines
    order = list(lines)

    def cut(lowest: int) -> float:
        """Return the p from which an action of at least this rank is among the cheapest."""
        above, below = order[: lowest + 1], order[lowest + 1 :]
        return min(max(_crossing(lines[x], lines[y]) for y in below) for x in above)

    # Adjacent cuts are compared, so rounding noise must not turn their order round.
    answer, hedge, verify = (round(min(max(cut(i), 0.0), 1.0), 12) for i in range(3))
    return Cuts(answer=answer, hedge=min(hedge, answer), verify=min(verify, hedge, answer))


def _crossing(upper: tuple[float, float], lower: tuple[float, float]) -> float:
    """Return the p from which the first action costs no more than the second."""
    harm, fixed = upper[1] - lower[1], lower[0] - upper[0]
    if harm <= 0.0:
        return -math.inf if fixed >= 0.0 else math.inf
    return 1.0 - fixed / harm
