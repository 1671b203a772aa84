"""Closes the connections that our calls opened in litellm, and no others.

litellm keeps its HTTP clients in one cache for the process, by event loop. Its own
`close_litellm_async_clients()` closes all of them and leaves the closed ones in the cache, after
which each call to OpenAI fails (litellm 1.105.3, measured November 2026), also those that the
application makes itself. So clients that were there before us stay, ours leave the cache first,
and none is closed before the last model that uses the loop is.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import weakref
from typing import Any

__all__ = ["LoopConnections"]


class LoopConnections:
    """The models that make calls on each event loop, and the clients that were there before."""

    def __init__(self) -> None:
        self._users: weakref.WeakKeyDictionary[
            asyncio.AbstractEventLoop, weakref.WeakSet[object]
        ] = weakref.WeakKeyDictionary()
        self._older: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, set[str]] = (
            weakref.WeakKeyDictionary()
        )

    def register(self, user: object, litellm: Any) -> None:  # noqa: ANN401 - litellm is untyped
        """Note that a model makes a call on the running loop."""
        loop = asyncio.get_running_loop()
        users = self._users.get(loop)
        if users is None:
            users = self._users[loop] = weakref.WeakSet()
        if not users:
            self._older[loop] = _keys_of_this_loop(litellm)
        users.add(user)

    async def release(self, user: object, litellm: Any) -> None:  # noqa: ANN401 - as above
        """Note that the model is done; the last one on the running loop closes its clients."""
        loop = asyncio.get_running_loop()
        users = self._users.get(loop)
        if users is None or user not in users:
            return
        users.discard(user)
        if users:
            return
        cache = litellm.in_memory_llm_clients_cache
        for key in _keys_of_this_loop(litellm) - self._older[loop]:
            client = cache.cache_dict.get(key)
            # The cache appends the running loop to the key it is given, so that no other way in.
            cache._remove_key(key)
            await _close(client)


def _keys_of_this_loop(litellm: Any) -> set[str]:  # noqa: ANN401 - as above
    cache = litellm.in_memory_llm_clients_cache
    # Asked of the cache: the end of a key is the id of the loop in 1.105, and a number in 1.110.
    end = cache.update_cache_key_with_event_loop("")
    return {key for key in list(cache.cache_dict) if str(key).endswith(end)}


async def _close(client: object) -> None:
    close = getattr(client, "close", None) or getattr(client, "aclose", None)
    if close is None:
        return
    # A connection that does not close cleanly is gone all the same.
    with contextlib.suppress(Exception):
        outcome = close()
        if inspect.isawaitable(outcome):
            await outcome
