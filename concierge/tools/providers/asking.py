"""Ask a provider over HTTP, for as long and as much as is sensible, and say plainly what it did instead of answering."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

import httpx2
import structlog
from pydantic import SecretStr

from concierge.kit.fetch import default_tls
from concierge.kit.settings import WebSearching
from concierge.tools.providers.brave import BRAVE
from concierge.tools.providers.searxng import SEARXNG
from concierge.tools.providers.serpapi import SERPAPI
from concierge.tools.providers.tavily import TAVILY
from concierge.tools.providers.vendor import Found, ProviderName, Vendor, Wanted
from concierge.tools.schemas import WebStatus

logger = structlog.get_logger(__name__)

VENDORS: Final[Mapping[ProviderName, Vendor]] = {
    vendor.name: vendor for vendor in (SERPAPI, BRAVE, TAVILY, SEARXNG)
}
MAX_ANSWER_BYTES: Final = 2 * 1024 * 1024
CONNECT_S: Final = 3.0
_REFUSED: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})


class ProviderFailedError(Exception):
    """The provider gave no results. `asked` is False where it cannot have seen the request, which then costs nothing."""

    status: WebStatus

    def __init__(self, status: WebStatus, because: str, *, asked: bool = True) -> None:
        super().__init__(because)
        self.status = status
        self.because = because
        self.asked = asked


@dataclass(frozen=True, slots=True)
class Provider:
    """A vendor, where it is reached, and with which key."""

    vendor: Vendor
    url: str
    key: SecretStr | None

    @property
    def name(self) -> ProviderName:
        return self.vendor.name

    async def ask(self, wanted: Wanted, seconds: float) -> Sequence[Found]:
        """Return its results as it wrote them. `seconds` bounds each silence, not the whole. Errors: ProviderFailedError."""
        try:
            body = await self._answer(wanted, seconds)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            raise self._failed("unavailable", "could not be reached", error, asked=False) from None
        except httpx2.TimeoutException as error:
            raise self._failed("late", "took too long", error) from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._failed("unavailable", "broke the connection", error) from None
        try:
            return self.vendor.read(body)
        except ValueError as error:
            raise self._failed("unavailable", "gave an answer that cannot be read", error) from None

    async def _answer(self, wanted: Wanted, seconds: float) -> bytes:
        request = self.vendor.request(wanted, self.key.get_secret_value() if self.key else "")
        timeout = httpx2.Timeout(seconds, connect=min(CONNECT_S, seconds))
        async with (
            httpx2.AsyncClient(verify=default_tls(), timeout=timeout, trust_env=False) as client,
            client.stream(
                request.method,
                self.url,
                params=httpx2.QueryParams(request.parameters),
                headers={"Accept": "application/json", **request.headers},
                json=request.body,
            ) as response,
        ):
            self._check(response)
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_ANSWER_BYTES:
                    raise self._failed("unavailable", "gave an answer beyond all measure")
            return bytes(body)

    def _check(self, response: httpx2.Response) -> None:
        status = response.status_code
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            pause = response.headers.get("retry-after", "")
            until = f"; it asks for a pause of {int(pause)} s" if pause.isdecimal() and len(pause) < 7 else ""
            raise self._failed("limited", f"has had too many requests{until}")
        if status in _REFUSED or status in self.vendor.refusals:
            raise self._failed("refused", f"did not accept the key or the request ({status})")
        if status != HTTPStatus.OK:
            raise self._failed("unavailable", f"answered with an error ({status})")

    def _failed(
        self, status: WebStatus, said: str, error: Exception | None = None, *, asked: bool = True
    ) -> ProviderFailedError:
        # Neither the error's own text nor the address: both may hold the key, or what a visitor wrote.
        reason = type(error).__name__ if error else said
        logger.warning("web search gave no results", provider=self.name, status=status, reason=reason)
        return ProviderFailedError(status, f"The provider {self.name} {said}.", asked=asked)


def create_provider(settings: WebSearching) -> Provider | None:
    """The provider that the settings name; None where they name none, or what it needs is missing, which is logged."""
    if settings.provider is None:
        return None
    vendor = VENDORS[settings.provider]
    url = str(settings.url) if settings.url else vendor.url
    if url is None or (vendor.needs_key and settings.key is None):
        missing = "address" if url is None else "key"
        logger.warning("web search is not configured to its end", provider=vendor.name, missing=missing)
        return None
    return Provider(vendor, url, settings.key)
