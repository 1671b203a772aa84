"""The base of every value that crosses a module: frozen, strict about names, free of NaN."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["Band", "Unit", "Value"]

Unit = Annotated[float, Field(ge=0.0, le=1.0)]
"""A float in [0, 1]."""

Band = tuple[Unit, Unit]
"""Lower and upper end of an interval inside [0, 1]."""


class Value(BaseModel):
    """A frozen value: fields by keyword only, no unknown field, no NaN and no infinity.

    Values are compared by content and survive a JSON round trip. Change one with `model_copy`.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, protected_namespaces=(), defer_build=True
    )
