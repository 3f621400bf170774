"""Field types of the catalogue: names without HTML, prices that can be paid, addresses that can be opened."""

import re
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from concierge.kit.fields import PlainText
from concierge.kit.html import line_of, plain
from concierge.kit.money import CURRENCIES

Availability = Literal["in_stock", "limited", "preorder", "backorder", "out_of_stock", "discontinued"]
HIGHEST_PRICE: Final = Decimal(99_999_999)
MOST_PIECES: Final = 10_000_000
MOST_ATTRIBUTES: Final = 40
MOST_VALUES: Final = 60
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"\\/]+(?:/[^\s<>\"\\]*)?", re.IGNORECASE)


def _line(value: Any) -> Any:
    return line_of(value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return plain(value) if isinstance(value, str) else value


def _currency(value: str) -> str:
    if value not in CURRENCIES:
        raise ValueError("must be the code of a currency (ISO 4217), such as EUR or USD")
    return value


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or not value.isprintable():
        raise ValueError("must be a complete web address that begins with https:// or http://")
    return value


def _listed(value: Any) -> Any:
    """One value may be given without a list around it."""
    return [value] if isinstance(value, str) else value


def _different(values: list[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, values)))


def _without_empty(attributes: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: values for name, values in attributes.items() if values}


Sku = Annotated[str, StringConstraints(min_length=1, max_length=120), PlainText, BeforeValidator(_line)]
Title = Annotated[str, StringConstraints(min_length=1, max_length=300), PlainText, BeforeValidator(_line)]
Label = Annotated[str, StringConstraints(max_length=200), PlainText, BeforeValidator(_line)]
Body = Annotated[str, StringConstraints(max_length=20_000), PlainText, BeforeValidator(_text)]
Said = Annotated[str, StringConstraints(min_length=1, max_length=10_000), PlainText, BeforeValidator(_text)]
WebAddress = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=2_000), PlainText, AfterValidator(_address)
]
Currency = Annotated[
    str, StringConstraints(strip_whitespace=True, to_upper=True, max_length=3), AfterValidator(_currency)
]
Price = Annotated[Decimal, Field(ge=0, le=HIGHEST_PRICE, decimal_places=3, allow_inf_nan=False)]
Quantity = Annotated[int, Field(ge=0, le=MOST_PIECES)]
AttributeName = Annotated[
    str, StringConstraints(min_length=1, max_length=60), PlainText, BeforeValidator(_line)
]
AttributeValue = Annotated[str, StringConstraints(max_length=200), PlainText, BeforeValidator(_line)]
AttributeValues = Annotated[
    list[AttributeValue],
    Field(max_length=MOST_VALUES),
    BeforeValidator(_listed),
    AfterValidator(_different),
]
Attributes = Annotated[
    dict[AttributeName, AttributeValues],
    Field(max_length=MOST_ATTRIBUTES),
    AfterValidator(_without_empty),
]
