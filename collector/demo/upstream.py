"""Upstream: a service's way to other services.

One pooled client a process; OpenTelemetry's httpx instrumentation puts `traceparent` on every call. What the services
answer comes back as JSON; a service that fails or stays silent becomes a 502 that says which one it was.
"""

from collections.abc import Mapping
from typing import Any

import httpx
from starlette.exceptions import HTTPException

_TIMEOUT_S = 10


class Upstream:
    """Services by name; their addresses are base URLs without a path."""

    def __init__(self, urls: Mapping[str, str]) -> None:
        self._urls = urls
        # The services are next door: a proxy meant for the outside world must not see these calls.
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)

    async def ask(self, service: str, path: str, timeout_s: float = _TIMEOUT_S, **query: Any) -> Any:
        """A service's JSON for `path`."""
        return (await self._send("GET", service, path, params=query or None, timeout=timeout_s)).json()

    async def tell(self, service: str, path: str, body: object = None) -> Any:
        """What a service answers to something that is sent to it."""
        return (await self._send("POST", service, path, json=body)).json()

    async def product(self, path: str, **query: Any) -> Any:
        """The product service's JSON for `path`."""
        return await self.ask("product", path, **query)

    async def pictures(self, ids: list[int]) -> dict[str, Any]:
        """What a page must know of its pictures beforehand: size and background, by product id."""
        found: dict[str, Any] = await self.ask("image", "/pictures", ids=",".join(map(str, ids)))
        return found

    async def picture(self, product_id: int) -> httpx.Response:
        """The picture itself, with the headers that the image service gave it."""
        return await self._send("GET", "image", f"/pictures/{product_id}")

    async def close(self) -> None:
        await self._client.aclose()

    async def _send(self, method: str, service: str, path: str, **more: Any) -> httpx.Response:
        try:
            reply = await self._client.request(method, self._urls[service] + path, **more)
        except httpx.HTTPError as error:
            raise HTTPException(502, f"The {service} service did not answer ({type(error).__name__}).") from error
        if reply.status_code in (400, 404):
            raise HTTPException(reply.status_code, reply.text)
        if reply.is_error:
            raise HTTPException(502, f"The {service} service answered {reply.status_code}.")
        return reply
