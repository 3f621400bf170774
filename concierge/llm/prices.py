"""What a model's tokens cost, in micro-dollars: from what its operator says, else from the list of genai-prices."""

from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from functools import cache
from importlib import import_module
from typing import Final

from concierge.llm.structured import ModelAddress
from concierge.llm.writing import Tokens

MILLION: Final = 1_000_000
# Who runs a model on a machine of their own pays nobody by the token.
FREE: Final = frozenset({"ollama"})


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens, read and written."""

    read: Decimal
    written: Decimal

    def of(self, tokens: Tokens) -> int:
        """Return what tokens cost, in whole micro-dollars, rounded up."""
        cost = self.read * tokens.read + self.written * tokens.written
        return int(cost.to_integral_value(ROUND_UP))

    @classmethod
    def listed(cls, address: ModelAddress) -> "Price | None":
        """Return the list's price, None where it has none. A server of one's own is not in the list."""
        vendor, _, model = address.model.partition(":")
        if vendor in FREE:
            return cls(Decimal(0), Decimal(0))
        return None if address.url else _listed(vendor, model)


@cache
def _listed(vendor: str, model: str) -> Price | None:
    """Long prompts cost more per token with some vendors; what a turn sends is far below that."""
    # Loading the list takes a fifth of a second.
    prices = import_module("genai_prices")
    tokens = prices.Usage(input_tokens=1_000, output_tokens=1_000)
    try:  # `openai-responses` and `google-vertex` are APIs, not vendors.
        listed = prices.calc_price(tokens, model, provider_id=vendor.partition("-")[0])
    except LookupError:
        return None
    return Price(listed.input_price * 1_000, listed.output_price * 1_000)
