"""What every provider of web search is to the product: how it is asked, and how its answer is read. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator

from concierge.tools.sites import Site

ProviderName = Literal["serpapi", "brave", "tavily", "searxng"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to search for; only in `sites` where there are some. `count` is how many results are of use."""

    query: str
    sites: tuple[Site, ...]
    count: int

    @property
    def restricted_query(self) -> str:
        """The query with the sites as search engines spell them."""
        spelled = " OR ".join(f"site:{site}" for site in self.sites)
        return f"{self.query} ({spelled})" if spelled else self.query


@dataclass(frozen=True, slots=True)
class Request:
    method: Literal["GET", "POST"]
    parameters: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A result as the provider wrote it; `dated` is its date in whatever way the provider says it."""

    title: str
    url: str
    snippet: str
    dated: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """`url` is None where everybody runs a server of their own. `read` raises ValueError for what it cannot read."""

    name: ProviderName
    url: str | None
    needs_key: bool
    request: Callable[[Wanted, str], Request]
    read: Callable[[bytes], Sequence[Found]]
    # Statuses beyond 401 and 403 that say that the key, or what was paid for, does not do.
    refusals: frozenset[int] = frozenset()


def _text(value: object) -> object:
    return value if isinstance(value, str) else ""


# A text that may be missing, null, or something else altogether: one odd field must not cost all results.
Text = Annotated[str, BeforeValidator(_text)]


class Row(BaseModel):
    """One result of any provider; those without an address are passed over."""

    title: Text = ""


def _rows(value: object) -> object:
    return [own for own in value if isinstance(own, dict)] if isinstance(value, list) else value


# Rows that are no objects are passed over; anything but a list is an error.
OnlyRows = BeforeValidator(_rows)
