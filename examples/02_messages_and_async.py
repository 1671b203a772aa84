"""Ask with messages, and ask several questions at once from async code. Runs offline."""

import asyncio

from uncertain_llm import AsyncUncertainLLM

SYSTEM = {"role": "system", "content": "Reply in one short sentence."}
QUESTIONS = (
    "What is the capital of Australia?",
    "In which year did the Berlin Wall fall?",
    "Who won the 2038 FIFA World Cup?",
)


async def main() -> None:
    async with AsyncUncertainLLM("replay/demo", log=None) as llm:
        replies = await asyncio.gather(
            *(llm.ask([SYSTEM, {"role": "user", "content": question}]) for question in QUESTIONS)
        )
    for question, reply in zip(QUESTIONS, replies, strict=True):
        print(f"{question}\n  {reply.delivered.value}: {reply.text}")


if __name__ == "__main__":
    asyncio.run(main())
