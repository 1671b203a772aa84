"""A slip in an argument's name is told, and every option of a provider's is let through."""

from __future__ import annotations

import inspect

import pytest

from uncertain_llm.client import AsyncUncertainLLM, UncertainLLM
from uncertain_llm.client.arguments import OF_ASK, OF_CLIENT, refuse_misplaced, refuse_misspelt
from uncertain_llm.core.errors import ConfigurationError
from uncertain_llm.providers.litellm_model import load_litellm


@pytest.mark.parametrize("client", [UncertainLLM, AsyncUncertainLLM])
@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("polcy", "policy"),
        ("signal", "signals"),
        ("other_model", "other_models"),
        ("recrod", "record"),
    ],
)
def test_a_slip_in_an_argument_of_the_client_is_told(
    client: type[UncertainLLM], slip: str, meant: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client("replay/demo", log=None, **{slip: "cautious"})

    assert str(caught.value).startswith(
        f"{client.__name__} has no argument {slip!r}; did you mean {meant!r}?"
    )


def test_what_belongs_to_the_client_or_is_misspelt_is_told_where_a_question_is_asked() -> None:
    with UncertainLLM("replay/demo", log=None) as llm:
        with pytest.raises(
            ConfigurationError, match=r"ask\(\) takes no policy=; it holds for a client"
        ):
            llm.ask("What is the capital of Australia?", policy="cautious")
        with pytest.raises(ConfigurationError, match=r"did you mean 'labels'"):
            llm.ask("What is the capital of Australia?", labls={"domain": "geography"})


def test_the_names_are_those_of_the_signatures() -> None:
    def named(function: object) -> set[str]:
        parameters = inspect.signature(function).parameters.values()
        return {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}

    assert named(UncertainLLM.__init__) == OF_CLIENT
    assert named(UncertainLLM.ask) == named(AsyncUncertainLLM.ask) == OF_ASK


def test_every_option_that_litellm_knows_is_let_through() -> None:
    litellm = load_litellm()
    known = set(inspect.signature(litellm.acompletion).parameters)
    known |= set(litellm.OPENAI_CHAT_COMPLETION_PARAMS)

    assert len(known) > 50
    refuse_misspelt(known, OF_CLIENT, where="UncertainLLM")
    refuse_misspelt(known, OF_ASK, where="ask()")
    refuse_misplaced(known)
