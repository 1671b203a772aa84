"""What a record of the log may hold is written down: no version writes what it does not name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from uncertain_llm.core.response import SCHEMA_VERSION, DecisionRecord

FORM = Path(__file__).with_name(f"record_form_{SCHEMA_VERSION}.txt")


def names_in(name: str, part: Mapping[str, object]) -> Iterator[str]:
    """Yield each field, and each value of a choice, of one part of the schema."""
    properties, choices = part.get("properties"), part.get("enum")
    if isinstance(properties, Mapping):
        yield from (f"{name}.{field}" for field in properties)
    if isinstance(choices, list):
        yield from (f"{name} = {choice}" for choice in choices)


def test_a_record_holds_nothing_that_its_version_does_not_name() -> None:
    """Failing? Raise SCHEMA_VERSION, say why beside it, and write the new list to a file."""
    schema = DecisionRecord.model_json_schema()
    parts = {"DecisionRecord": schema, **schema["$defs"]}

    found = sorted(line for name, part in parts.items() for line in names_in(name, part))

    assert found == FORM.read_text().splitlines()
