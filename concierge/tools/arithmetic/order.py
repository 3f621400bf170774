"""What an order is, and what it comes to."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

MOST_OF_ONE: Final = 1_000
LARGEST_EXTRA: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class PricedRow:
    """A product with what it costs today. `names` are what it is called, its title first; `currency` is an ISO code."""

    id: str
    names: tuple[str, ...]
    price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class OrderLine:
    """`quantity` is from 1 to 1,000."""

    row: PricedRow
    quantity: int


@dataclass(frozen=True, slots=True)
class Extra:
    """What is paid besides, such as `delivery`, as the visitor said it."""

    name: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Order:
    """At least one line, each of another row, all in one currency. `percent_off` is on the lines, not on the extras."""

    lines: tuple[OrderLine, ...]
    percent_off: Decimal | None = None
    extras: tuple[Extra, ...] = ()

    @property
    def currency(self) -> str:
        return self.lines[0].row.currency


@dataclass(frozen=True, slots=True)
class LineSum:
    line: OrderLine
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Total:
    """Amounts as they can be paid. `subtotal` is that of the lines; `reduction` is taken off it."""

    lines: tuple[LineSum, ...]
    subtotal: Decimal
    reduction: Decimal
    extras: tuple[Extra, ...]
    total: Decimal
    currency: str
