"""Which language models write for an agent, in which order, and what they may cost."""

from dataclasses import dataclass, field
from typing import Literal

from concierge.billing.budgets import Budget
from concierge.llm.prices import Price
from concierge.llm.structured import ModelAddress

Unit = Literal["micro_dollars", "tokens"]


@dataclass(frozen=True, slots=True)
class WritingModel:
    """`price` is None where nobody has said what the model costs."""

    address: ModelAddress
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    budget: Budget
    unit: Unit


@dataclass(frozen=True, slots=True)
class Writing:
    """The models in the order they are asked; with none of them, or when all fail, the house writer writes."""

    models: tuple[WritingModel, ...] = ()
    limits: tuple[SpendingLimit, ...] = field(default=())
