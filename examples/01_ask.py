"""Ask one question and act on the decision. Runs offline, on a recording."""

from uncertain_llm import Action, UncertainLLM


def main() -> None:
    with UncertainLLM("replay/demo", policy="balanced", log=None) as llm:
        for question in ("What is the capital of Australia?", "What is 461737 times 326899?"):
            reply = llm.ask(question)
            print(question)
            print("  shown to the user:", reply.text)
            print("  probability:", reply.probability, reply.confidence.status.value)
            if reply.delivered is Action.ABSTAIN:
                print("  escalate:", reply.final_decision.reason.value)


if __name__ == "__main__":
    main()
