"""Requests to an address that a tenant named: only to servers of the public internet, and only over TLS."""

from contextlib import suppress
from typing import Final

import httpx2

from concierge.kit.addresses import is_public_address
from concierge.kit.fetch import MAX_ADDRESSES_TRIED, Resolve, default_tls, resolve_host

TLS_PORT: Final = 443


class GuardedTransport(httpx2.AsyncBaseTransport):
    """Resolves the name itself and connects to the addresses it has checked, so a name that changes its mind between check
    and use gains nothing.
    """

    def __init__(self, limits: httpx2.Limits, resolve: Resolve = resolve_host) -> None:
        self._inner = httpx2.AsyncHTTPTransport(verify=default_tls(), trust_env=False, limits=limits)
        self._resolve = resolve

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        host = request.url.raw_host.decode("ascii").strip("[]")
        if request.url.scheme != "https":
            raise httpx2.UnsupportedProtocol("A model's address must start with https://.", request=request)
        try:
            addresses = await self._resolve(host, request.url.port or TLS_PORT)
        except (OSError, UnicodeError):
            addresses = ()
        if not addresses or not all(map(is_public_address, addresses)):
            raise httpx2.ConnectError(f"{host} is no server of the public internet.", request=request)
        request.extensions = {**request.extensions, "sni_hostname": host}
        *earlier, last = addresses[:MAX_ADDRESSES_TRIED]
        for address in earlier:
            # As with pages: a server may have an address that leads nowhere from here, and another that works.
            with suppress(httpx2.ConnectError, httpx2.ConnectTimeout):
                return await self._ask(request, address)
        return await self._ask(request, last)

    async def _ask(self, request: httpx2.Request, address: str) -> httpx2.Response:
        request.url = request.url.copy_with(host=address)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()
