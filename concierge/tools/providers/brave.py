"""Brave Search, https://api-dashboard.search.brave.com/app/documentation/web-search."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel

from concierge.tools.providers.vendor import Found, OnlyRows, Request, Row, Text, Vendor, Wanted


class _Result(Row):
    """`page_age` is a date and time, `age` the same in words. Snippets carry <strong> around what was searched for."""

    url: Text = ""
    description: Text = ""
    page_age: Text = ""
    age: Text = ""


class _Web(BaseModel):
    results: Annotated[list[_Result], OnlyRows] = []


class _Answer(BaseModel):
    """`web` is missing where nothing was found."""

    type: Literal["search"]
    web: _Web | None = None


def _request(wanted: Wanted, key: str) -> Request:
    parameters = {"q": wanted.restricted_query, "count": str(wanted.count), "result_filter": "web"}
    return Request("GET", parameters, {"X-Subscription-Token": key, "Accept": "application/json"})


def _read(body: bytes) -> Sequence[Found]:
    answer = _Answer.model_validate_json(body)
    results = answer.web.results if answer.web else ()
    return [Found(own.title, own.url, own.description, own.page_age or own.age) for own in results]


BRAVE: Final = Vendor(
    "brave",
    "https://api.search.brave.com/res/v1/web/search",
    needs_key=True,
    request=_request,
    read=_read,
    # It answers 422 to a key it does not know, 402 to one that nobody pays for.
    refusals=frozenset({402, 422}),
)
