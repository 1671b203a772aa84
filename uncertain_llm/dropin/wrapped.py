"""Stands in for a router or another object that makes litellm's calls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Self, cast

__all__ = ["Wrapped"]


class Wrapped:
    """An object whose `completion` and `acompletion` are ours and whose rest is the backend's.

    Reading, setting and deleting any other attribute reaches the backend. It is not an instance
    of the backend's class.

    Args:
        backend: The object that everything else belongs to.
        completion: Stands in for the backend's.
        acompletion: Stands in for the backend's.
    """

    __slots__ = ("_backend", "acompletion", "completion")

    def __init__(
        self,
        backend: object,
        completion: Callable[..., object],
        acompletion: Callable[..., Awaitable[object]],
    ) -> None:
        object.__setattr__(self, "_backend", backend)
        object.__setattr__(self, "completion", completion)
        object.__setattr__(self, "acompletion", acompletion)

    @classmethod
    def around(cls, backend: object, mark: Callable[[object], object]) -> Self:
        """Return a wrapped backend that is called once for each call and whose reply is marked."""

        def completion(*args: object, **kwargs: object) -> object:
            # Looked up for each call: the backend may be changed after it was wrapped.
            ask = cast("Callable[..., object]", getattr(backend, "completion"))  # noqa: B009
            return mark(ask(*args, **kwargs))

        async def acompletion(*args: object, **kwargs: object) -> object:
            ask = cast("Callable[..., Awaitable[object]]", getattr(backend, "acompletion"))  # noqa: B009
            return mark(await ask(*args, **kwargs))

        return cls(backend, completion, acompletion)

    def __getattr__(self, name: str) -> object:
        return getattr(object.__getattribute__(self, "_backend"), name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(object.__getattribute__(self, "_backend"), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(object.__getattribute__(self, "_backend"), name)

    def __repr__(self) -> str:
        backend = object.__getattribute__(self, "_backend")
        return f"<{type(backend).__name__} wrapped by uncertain_llm>"
