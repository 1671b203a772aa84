"""Write a policy, load it, and see what a mistake in it says. Runs offline."""

import tempfile
from pathlib import Path

from uncertain_llm import UncertainLLM, UncertainLLMError

POLICY = """\
name: support
sampling:
  samples: 4
decide:
  cuts: {answer: 0.90, hedge: 0.60, verify: 0.60}   # equal cuts: never verify
  when_unavailable: abstain
wording:
  hedge: "Please check this, I find it {marker}: {answer}"
  abstain: "I pass this on to a colleague, because {why}."
"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "support.yaml"
        path.write_text(POLICY, encoding="utf-8")
        with UncertainLLM("replay/demo", policy=path, log=None) as llm:
            for question in ("What is the capital of Australia?", "What is 461737 times 326899?"):
                print(llm.ask(question).text)

        path.write_text(POLICY.replace("hedge: 0.60", "hedge: 0.95"), encoding="utf-8")
        try:
            UncertainLLM("replay/demo", policy=path, log=None)
        except UncertainLLMError as error:
            print(error.code, "-", str(error).removeprefix(folder))


if __name__ == "__main__":
    main()
