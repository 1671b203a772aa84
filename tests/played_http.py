"""HTTP without a network: respx, for clients of httpx and for those of httpx2.

From version 3 on openai sends through httpx2, which respx 0.23 does not know. Depending on its
version, and on who made the client, litellm uses the one or the other.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

import httpx
import respx
from respx.mocks import HTTPXMocker

if TYPE_CHECKING:
    import httpx2

__all__ = ["played_http"]


def played_http(*, assert_all_called: bool = True) -> respx.MockRouter:
    """Return a router that plays every server there is, for as long as it is entered."""
    # respx's own default works one layer down, and does not see litellm's async calls.
    return respx.mock(using=_BothMocker.name, assert_all_called=assert_all_called)


class _BothMocker(HTTPXMocker):
    name = "httpx and httpx2"
    targets: ClassVar = [
        f"{module}._client.{client}"
        for module in ("httpx", "httpx2")
        if find_spec(module)
        for client in ("Client", "AsyncClient")
    ]

    @classmethod
    def mock(cls, spec: Callable[..., object]) -> Callable[..., object]:
        of_httpx = super().mock(spec)

        def _transport_for_url(
            client: httpx.Client | httpx2.Client, *args: object, **kwargs: object
        ) -> object:
            if isinstance(client, httpx.Client | httpx.AsyncClient):
                return of_httpx(client, *args, **kwargs)
            is_async = inspect.iscoroutinefunction(client.request)
            return _transport_of_httpx2(cls.async_handler if is_async else cls.handler)

        return _transport_for_url


def _transport_of_httpx2(handler: Callable[[httpx.Request], Any]) -> object:
    import httpx2

    def request_of(asked: httpx2.Request) -> httpx.Request:
        headers, content = asked.headers.raw, asked.content
        return httpx.Request(asked.method, str(asked.url), headers=headers, content=content)

    def response_of(found: httpx.Response) -> object:
        return httpx2.Response(found.status_code, headers=found.headers.raw, content=found.content)

    def fault_of(error: httpx.TransportError, asked: httpx2.Request) -> Exception:
        return getattr(httpx2, type(error).__name__)(str(error), request=asked)

    def answer(asked: httpx2.Request) -> object:
        asked.read()
        try:
            return response_of(handler(request_of(asked)))
        except httpx.TransportError as error:
            raise fault_of(error, asked) from error

    async def answer_async(asked: httpx2.Request) -> object:
        await asked.aread()
        try:
            return response_of(await handler(request_of(asked)))
        except httpx.TransportError as error:
            raise fault_of(error, asked) from error

    return httpx2.MockTransport(answer_async if inspect.iscoroutinefunction(handler) else answer)
