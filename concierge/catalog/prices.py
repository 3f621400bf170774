"""What something costs on a day. Pure; `catalog_price` in the database says the same of a row's lowest price."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Final, Literal, Self

from concierge.kit.money import rounded, said

EVERYTHING: Final = "*"


@dataclass(frozen=True, slots=True)
class Discount:
    """What a promotion takes off a price; exactly one of `percent` and `amount` is given."""

    percent: Decimal | None
    amount: Decimal | None
    ends: date | None

    def of(self, price: Decimal) -> Decimal | None:
        """The price with it; None where it would leave nothing."""
        if self.percent is not None:
            return price - price * self.percent / 100
        return price - self.amount if self.amount is not None and self.amount < price else None


@dataclass(frozen=True, slots=True)
class RunningPromotion:
    """As much of a promotion that holds today as prices need."""

    applies_to: Literal["all", "category", "skus"]
    category_key: str
    skus: tuple[str, ...]
    discount: Discount

    @property
    def keys(self) -> tuple[str, ...]:
        if self.applies_to == "category":
            return (f"c:{self.category_key}",)
        return tuple(f"s:{sku}" for sku in self.skus) if self.applies_to == "skus" else (EVERYTHING,)


@dataclass(frozen=True, slots=True)
class Discounts:
    """Those of today by what they are on: everything, `c:` and a category's key, `s:` and a sku."""

    by_key: Mapping[str, tuple[Discount, ...]] = field(default_factory=dict[str, tuple[Discount, ...]])

    @classmethod
    def of(cls, promotions: Iterable[RunningPromotion]) -> Self:
        found: dict[str, tuple[Discount, ...]] = {}
        for promotion in promotions:
            for key in promotion.keys:
                found[key] = (*found.get(key, ()), promotion.discount)
        return cls(found)

    def on(self, sku: str, category_key: str) -> tuple[Discount, ...]:
        keys = (EVERYTHING, f"c:{category_key}", f"s:{sku}")
        return tuple(discount for key in keys for discount in self.by_key.get(key, ()))

    def as_json(self) -> dict[str, list[float | None]] | None:
        """The most of each kind by key, as the database takes them; None where there are none."""
        found: dict[str, list[float | None]] = {}
        for key, discounts in self.by_key.items():
            percents = [own.percent for own in discounts if own.percent is not None]
            amounts = [own.amount for own in discounts if own.amount is not None]
            found[key] = [float(max(each)) if each else None for each in (percents, amounts)]
        return found or None


@dataclass(frozen=True, slots=True)
class Sale:
    """A product's own reduced price, and the days on which it holds."""

    price: Decimal
    begins: date | None
    ends: date | None

    def holds(self, today: date) -> bool:
        return holds(self.begins, self.ends, today)


@dataclass(frozen=True, slots=True)
class PriceNow:
    """`was` is the price without the reduction that holds until `until`; None where there is none."""

    now: Decimal
    was: Decimal | None = None
    until: date | None = None

    @property
    def is_reduced(self) -> bool:
        return self.was is not None


def holds(begins: date | None, ends: date | None, today: date) -> bool:
    """Whether a day lies within two, both included."""
    return (begins is None or begins <= today) and (ends is None or today <= ends)


def price_on(
    today: date, price: Decimal, currency: str, sale: Sale | None, discounts: Iterable[Discount]
) -> PriceNow:
    """The lowest price there is; reductions are not added. Prices are as they can be paid."""
    price = rounded(price, currency)
    offers: list[tuple[Decimal, date]] = []
    if sale is not None and sale.holds(today):
        offers.append((rounded(sale.price, currency), sale.ends or date.max))
    offers += [
        (rounded(lowered, currency), discount.ends or date.max)
        for discount in discounts
        if (lowered := discount.of(price)) is not None
    ]
    # Of two that come to the same the one that lasts longer is said.
    lowest, negative_end = min(((offer, -ends.toordinal()) for offer, ends in offers), default=(price, 0))
    if lowest >= price:
        return PriceNow(price)
    ends = date.fromordinal(-negative_end)
    return PriceNow(lowest, price, None if ends == date.max else ends)


def day(when: date, today: date | None) -> str:
    """30 November, with its year where that is not this one."""
    year = "" if today is not None and when.year == today.year else f" {when.year}"
    return f"{when.day} {when:%B}{year}"


def said_price(price: PriceNow, currency: str, today: date | None) -> str:
    """$899, or “$899 until 30 November instead of $999”."""
    if price.was is None:
        return said(price.now, currency)
    until = f" until {day(price.until, today)}" if price.until else ""
    return f"{said(price.now, currency)}{until} instead of {said(price.was, currency)}"
