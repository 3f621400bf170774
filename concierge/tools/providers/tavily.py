"""Tavily, https://docs.tavily.com/documentation/api-reference/endpoint/search."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel

from concierge.tools.providers.vendor import Found, OnlyRows, Request, Row, Text, Vendor, Wanted


class _Result(Row):
    url: Text = ""
    content: Text = ""
    published_date: Text = ""


class _Answer(BaseModel):
    results: Annotated[list[_Result], OnlyRows]


def _request(wanted: Wanted, key: str) -> Request:
    body: dict[str, object] = {"query": wanted.query, "max_results": wanted.count, "search_depth": "basic"}
    if wanted.sites:
        body["include_domains"] = sorted({site.host for site in wanted.sites})
    return Request("POST", headers={"Authorization": f"Bearer {key}"}, body=body)


def _read(body: bytes) -> Sequence[Found]:
    results = _Answer.model_validate_json(body).results
    return [Found(own.title, own.url, own.content, own.published_date) for own in results]


TAVILY: Final = Vendor(
    "tavily",
    "https://api.tavily.com/search",
    needs_key=True,
    request=_request,
    read=_read,
    # The plan's credits are used up, or the account's own limit is reached.
    refusals=frozenset({432, 433}),
)
