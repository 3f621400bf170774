"""Promotions, entries and settings over HTTP."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal, Self
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from concierge.accounts.schemas import AudienceLabel
from concierge.catalog.schemas.fields import Body, Currency, Label, Price, Said, Sku, Title, WebAddress
from concierge.kit.fields import PlainText
from concierge.kit.pagination import Identified

TextKind = Literal["policy", "company", "support", "faq"]
AppliesTo = Literal["all", "category", "skus"]
MOST_PROMOTIONS: Final = 200
MOST_ENTRIES: Final = 500
MOST_SKUS: Final = 1_000
MOST_SYNONYMS: Final = 500


def _zone(value: str) -> str:
    if value not in available_timezones():
        raise ValueError("must be the name of a time zone (IANA), such as Europe/Berlin or America/New_York")
    return value


class PromotionIn(BaseModel):
    """An offer that holds from `begins` to `ends`, both days included, in the organization's time zone.

    With `percent` or `amount` it lowers prices: of everything, of a category, or of the products named by `skus`. Where
    several lower the same price, the lowest counts; they are not added.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Title
    text: Said
    conditions: Body = ""
    url: WebAddress | None = None
    begins: date | None = None
    ends: date | None = None
    percent: Annotated[Decimal, Field(gt=0, lt=100, decimal_places=2)] | None = None
    amount: Price | None = None
    applies_to: AppliesTo = "all"
    category: Label = ""
    skus: Annotated[tuple[Sku, ...], Field(max_length=MOST_SKUS)] = ()
    audience: AudienceLabel | None = None
    active: bool = True

    @model_validator(mode="after")
    def fits_together(self) -> Self:
        if self.begins is not None and self.ends is not None and self.ends < self.begins:
            raise ValueError("`ends` must not lie before `begins`")
        if self.percent is not None and self.amount is not None:
            raise ValueError("give `percent` or `amount`, not both")
        if self.amount == 0:
            raise ValueError("`amount` must be more than nothing")
        if (self.applies_to == "category") != bool(self.category):
            raise ValueError("`category` is given when `applies_to` is “category”, and only then")
        if (self.applies_to == "skus") != bool(self.skus):
            raise ValueError("`skus` are given when `applies_to` is “skus”, and only then")
        return self


class PromotionPatch(BaseModel):
    """What is left out stays as it is; null empties a field that may be empty."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    text: Said | None = None
    conditions: Body | None = None
    url: WebAddress | None = None
    begins: date | None = None
    ends: date | None = None
    percent: Annotated[Decimal, Field(gt=0, lt=100, decimal_places=2)] | None = None
    amount: Price | None = None
    applies_to: AppliesTo | None = None
    category: Label | None = None
    skus: Annotated[list[Sku], Field(max_length=MOST_SKUS)] | None = None
    audience: AudienceLabel | None = None
    active: bool | None = None


class PromotionOut(Identified):
    """`holds` says whether it holds today."""

    title: str
    text: str
    conditions: str
    url: str | None
    begins: date | None
    ends: date | None
    percent: Decimal | None
    amount: Decimal | None
    applies_to: AppliesTo
    category: str
    skus: list[str]
    audience: str | None
    active: bool
    holds: bool
    created_at: datetime
    updated_at: datetime


class EntryIn(BaseModel):
    """Of a `faq` the title is the question and the text its answer. `position` orders the entries of a kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: TextKind
    title: Title
    text: Said
    url: WebAddress | None = None
    position: Annotated[int, Field(ge=0, le=10_000)] = 0
    audience: AudienceLabel | None = None
    active: bool = True


class EntryPatch(BaseModel):
    """What is left out stays as it is; null empties a field that may be empty."""

    model_config = ConfigDict(extra="forbid")

    title: Title | None = None
    text: Said | None = None
    url: WebAddress | None = None
    position: Annotated[int, Field(ge=0, le=10_000)] | None = None
    audience: AudienceLabel | None = None
    active: bool | None = None


class EntryOut(Identified):
    kind: TextKind
    title: str
    text: str
    url: str | None
    position: int
    audience: str | None
    active: bool
    created_at: datetime
    updated_at: datetime


TimeZone = Annotated[str, StringConstraints(max_length=60), AfterValidator(_zone)]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60), PlainText]
Synonyms = Annotated[dict[Word, Word], Field(max_length=MOST_SYNONYMS)]


class CatalogSettings(BaseModel):
    """`currency` is that of products which name none; days begin and end in `time_zone`. `synonyms` say what visitors'
    words mean here: {"couch": "Sofas"}.
    """

    model_config = ConfigDict(extra="forbid", from_attributes=True)

    currency: Currency = "USD"
    time_zone: TimeZone = "UTC"
    synonyms: Synonyms = {}


class CatalogSettingsOut(CatalogSettings):
    """`version` rises with every change of the catalogue. `waiting` counts products that are found by their words only,
    until they are read for their meaning.
    """

    version: int
    products: int
    waiting: int
