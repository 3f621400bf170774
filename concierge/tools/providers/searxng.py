"""SearXNG, https://docs.searxng.org/dev/search_api.html: a server of one's own that must allow the format `json`."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel

from concierge.tools.providers.vendor import Found, OnlyRows, Request, Row, Text, Vendor, Wanted


class _Result(Row):
    url: Text = ""
    content: Text = ""
    publishedDate: Text = ""  # noqa: N815  # The name in its answers.


class _Answer(BaseModel):
    results: Annotated[list[_Result], OnlyRows]


def _request(wanted: Wanted, _key: str) -> Request:
    return Request("GET", {"q": wanted.restricted_query, "format": "json", "categories": "general"})


def _read(body: bytes) -> Sequence[Found]:
    results = _Answer.model_validate_json(body).results
    return [Found(own.title, own.url, own.content, own.publishedDate) for own in results]


SEARXNG: Final = Vendor("searxng", None, needs_key=False, request=_request, read=_read)
