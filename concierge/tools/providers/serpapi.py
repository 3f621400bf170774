"""SerpAPI, https://serpapi.com/search-api: Google's results. The key is a parameter, so no address is ever logged."""

from collections.abc import Sequence
from typing import Annotated, Final

from pydantic import BaseModel

from concierge.tools.providers.vendor import Found, OnlyRows, Request, Row, Text, Vendor, Wanted


class _Result(Row):
    link: Text = ""
    snippet: Text = ""
    date: Text = ""


class _Answer(BaseModel):
    """`error` comes with status 200 where Google found nothing, and then without `organic_results`."""

    organic_results: Annotated[list[_Result], OnlyRows] | None = None
    error: Text = ""


_NOTHING: Final = "hasn't returned any results"


def _request(wanted: Wanted, key: str) -> Request:
    return Request(
        "GET",
        {
            "engine": "google",
            "q": wanted.restricted_query,
            "num": str(wanted.count),
            "output": "json",
            "api_key": key,
        },
    )


def _read(body: bytes) -> Sequence[Found]:
    answer = _Answer.model_validate_json(body)
    if answer.organic_results is None and _NOTHING not in answer.error:
        raise ValueError("the answer has no results")
    return [Found(own.title, own.link, own.snippet, own.date) for own in answer.organic_results or ()]


SERPAPI: Final = Vendor("serpapi", "https://serpapi.com/search", needs_key=True, request=_request, read=_read)
