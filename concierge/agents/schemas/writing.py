"""Which language models write for an agent, in which order, and what they may cost."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints

from concierge.billing.budgets import Budget
from concierge.billing.schemas import UsageOut
from concierge.kit.fields import Name, Out, PlainText
from concierge.llm.prices import Price
from concierge.llm.structured import FailureKind, ModelAddress

CostUnit = Literal["micro_dollars", "tokens"]
MOST_IN_TURN = 5
MODEL_NAME = re.compile(r"[a-z][a-z-]*:[\w.:/@-]+")


@dataclass(frozen=True, slots=True)
class WritingModel:
    """`price` is None where nobody has said what the model costs."""

    address: ModelAddress
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class SpendingLimit:
    budget: Budget
    unit: CostUnit


@dataclass(frozen=True, slots=True)
class Writing:
    """The models in the order they are asked; with none of them, or when all fail, the house writer writes."""

    models: tuple[WritingModel, ...] = ()
    limits: tuple[SpendingLimit, ...] = ()


def _https(url: str) -> str:
    if not url.startswith("https://") or "@" in url or any(character.isspace() for character in url):
        raise ValueError("must be a public address that starts with https://, without a user name")
    return url.rstrip("/")


ModelName = Annotated[str, StringConstraints(max_length=120, pattern=r"^[a-z][a-z-]*:[\w.:/@-]+$"), PlainText]
ModelUrl = Annotated[str, StringConstraints(max_length=500), PlainText, AfterValidator(_https)]
ModelKey = Annotated[SecretStr, Field(min_length=1, max_length=500)]
TokenPrice = Annotated[Decimal, Field(ge=0, le=10_000, max_digits=12, decimal_places=4)]
Dollars = Annotated[Decimal, Field(ge=0, le=1_000_000, max_digits=12, decimal_places=2)]
TokenCount = Annotated[int, Field(ge=0, le=10**12)]


class LanguageModelIn(BaseModel):
    """`model` is written with its vendor (`openai:gpt-5.1`, `anthropic:…`, `google:…`); with a `url`, `openai:…` is any server
    that speaks Chat Completions. Prices are US dollars for a million tokens; left out, those of the public price list.
    """

    model_config = ConfigDict(extra="forbid")

    name: Name
    model: ModelName
    key: ModelKey
    url: ModelUrl | None = None
    read_price: TokenPrice | None = None
    written_price: TokenPrice | None = None


class LanguageModelPatch(BaseModel):
    """What is left out stays as it is."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    model: ModelName | None = None
    key: ModelKey | None = None
    url: ModelUrl | None = None
    read_price: TokenPrice | None = None
    written_price: TokenPrice | None = None


class LanguageModelOut(Out):
    """The key is never shown again. Prices are those that hold; none where nobody knows them."""

    id: UUID
    name: str
    model: str
    url: str | None
    read_price: Decimal | None
    written_price: Decimal | None
    created_at: datetime
    updated_at: datetime


class TriedOut(BaseModel):
    """Whether a model answers, and otherwise why not."""

    works: bool
    failure: FailureKind | None
    detail: str
    milliseconds: float


class WritingIn(BaseModel):
    """`models` are asked in their order; none at all is the house writer, left out is what is said elsewhere.

    Limits are hard, in days and months of UTC; left out, there is none.
    """

    model_config = ConfigDict(extra="forbid")

    models: Annotated[list[UUID], Field(max_length=MOST_IN_TURN)] | None = None
    daily_usd: Dollars | None = None
    monthly_usd: Dollars | None = None
    daily_tokens: TokenCount | None = None
    monthly_tokens: TokenCount | None = None


class SpentOut(BaseModel):
    """What was spent in the period that runs: US dollars, or tokens."""

    of: Literal["organization", "agent"]
    unit: CostUnit
    period: str
    limit: int
    spent: int


class WritingOut(BaseModel):
    """`own` is what was said here, `asked` the models that are asked in turn, `spent` what the limits have counted, and
    `used` what was used this month with or without limits.
    """

    own: WritingIn
    asked: list[str]
    spent: list[SpentOut]
    used: UsageOut
