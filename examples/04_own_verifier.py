"""Check doubtful answers with something better than the same model. Runs offline."""

import re

from uncertain_llm import Policy, UncertainLLM
from uncertain_llm.core.chat import Request
from uncertain_llm.core.decision import Support, Verdict
from uncertain_llm.policy import Cuts, Decide

PRODUCT = re.compile(r"What is (\d+) times (\d+)\?")


class Calculator:
    """Recomputes products; about everything else it has no opinion."""

    name = "calculator"

    def verify(self, request: Request, text: str) -> Verdict:
        """Return what the recomputed product says about the answer."""
        found = PRODUCT.fullmatch(request.question)
        if found is None:
            return Verdict(support=Support.UNDECIDED, verifier=self.name)
        right = int(found[1]) * int(found[2])
        agrees = str(right) in text.replace(",", "")
        return Verdict(
            support=Support.SUPPORTED if agrees else Support.CONTRADICTED,
            evidence=f"the product is {right}",
            verifier=self.name,
        )


def main() -> None:
    # Everything below 0.9 is looked at again, however doubtful it is.
    policy = Policy(name="check", decide=Decide(cuts=Cuts(answer=0.9, hedge=0.9, verify=0)))
    with UncertainLLM("replay/demo", policy=policy, verifier=Calculator(), log=None) as llm:
        for question in (
            "What is the capital of Australia?",
            "What is 461737 times 326899?",
            "What is 369362 times 272537?",
        ):
            reply = llm.ask(question)
            print(question)
            print(f"  {reply.action.value}, then {reply.delivered.value}: {reply.text}")
            if reply.verdict is not None:
                print(f"  {reply.verdict.verifier}: {reply.verdict.evidence}")


if __name__ == "__main__":
    main()
