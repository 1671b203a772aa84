"""Log decisions, label them, and count how often shown answers were right. Runs offline."""

import tempfile
from datetime import UTC, datetime
from pathlib import Path

from uncertain_llm import Action, Label, UncertainLLM
from uncertain_llm.storage.decision_log import open_log

# In a service the label comes later: from a person, a judge, or from what happened.
RIGHT_ANSWERS = {
    "What is the capital of Australia?": "Canberra",
    "In which year did the Berlin Wall fall?": "1989",
    "What is 461737 times 326899?": "150941363563",
}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'decisions.db'}"
        with UncertainLLM("replay/demo", log=url) as llm:
            for question in RIGHT_ANSWERS:
                llm.ask(question, labels={"domain": "demo"})

        with open_log(url) as log:
            for record in log.records():
                is_right = RIGHT_ANSWERS[record.question or ""] in (record.answer or "").replace(
                    ",", ""
                )
                log.add_label(
                    Label(
                        record_id=record.id,
                        loss=0.0 if is_right else 1.0,
                        source="human",
                        created_at=datetime.now(UTC),
                    )
                )
            for record in log.records():
                (label,) = log.labels([record.id])
                outcome = "right" if label.is_right else "wrong"
                print(f"{record.delivered.value:8} {outcome:6} {record.question}")
            shown = [r.id for r in log.records() if r.delivered is not Action.ABSTAIN]
            right = [label.is_right for label in log.labels(shown)]
            print(f"shown: {len(shown)} of {log.count()}, right among them: {sum(right)}")


if __name__ == "__main__":
    main()
