"""Upstream: the web front's way to the product and the image service.

One pooled client a process; OpenTelemetry's httpx instrumentation puts `traceparent` on every call. What the services
answer comes back as JSON; a service that fails or stays silent becomes a 502 that says which one it was.
"""

from typing import Any

import httpx
from starlette.exceptions import HTTPException

_TIMEOUT_S = 10


class Upstream:
    """The two services behind the shop; their addresses are base URLs without a path."""

    def __init__(self, product: str, image: str) -> None:
        self._product = product
        self._image = image
        # The services are next door: a proxy meant for the outside world must not see these calls.
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False)

    async def product(self, path: str, **query: object) -> Any:
        """The product service's JSON for `path`."""
        return (await self._get("product", self._product + path, query)).json()

    async def pictures(self, ids: list[int]) -> dict[str, Any]:
        """What a page must know of its pictures beforehand: size and background, by product id."""
        wanted = ",".join(map(str, ids))
        found: dict[str, Any] = (await self._get("image", f"{self._image}/pictures", {"ids": wanted})).json()
        return found

    async def picture(self, product_id: int) -> httpx.Response:
        """The picture itself, with the headers that the image service gave it."""
        return await self._get("image", f"{self._image}/pictures/{product_id}", {})

    async def close(self) -> None:
        await self._client.aclose()

    async def _get(self, name: str, url: str, query: dict[str, Any]) -> httpx.Response:
        try:
            reply = await self._client.get(url, params=query or None)
        except httpx.HTTPError as error:
            raise HTTPException(502, f"The {name} service did not answer ({type(error).__name__}).") from error
        if reply.status_code in (400, 404):
            raise HTTPException(reply.status_code, reply.text)
        if reply.is_error:
            raise HTTPException(502, f"The {name} service answered {reply.status_code}.")
        return reply
