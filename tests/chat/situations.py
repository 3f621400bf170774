"""Small situations for writers and prompts: who writes, what a strategy says, what a shop offers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import uuid5

import numpy as np

from concierge.catalog.schemas.context import CatalogEntry, EntryKind, PriceRange, ProductContext, Promotion
from concierge.chat.strategy.schemas import Length, Parameters, Strategy
from concierge.chat.writers.brief import AnswerBrief
from concierge.customers.schemas.context import CustomerContext, FactKind, Inferred, RememberedFact
from concierge.knowledge.schemas import Passage
from tests.chat.writers.library import HOUSE

MARCH: Final = datetime(2026, 3, 12, 10, 0, tzinfo=UTC)
MAY: Final = datetime(2026, 5, 3, 10, 0, tzinfo=UTC)


def parameters(length: Length = "normal", **others: Any) -> Parameters:
    sentences = {"brief": 2, "normal": 3, "detailed": 6}[length]
    return Parameters(temperature=0.6, max_tokens=500, length=length, max_sentences=sentences, **others)


def strategy(**changed: Any) -> Strategy:
    """A calm, definite question, unless something else is said."""
    plain = Strategy(
        fallback="exploration",
        rule="open",
        reasons=("Nothing more pressing.",),
        tone="neutral",
        opening="none",
        depth="standard",
        next_step="none",
        purchase_step=False,
        open_ended=False,
        parameters=parameters(),
    )
    return replace(plain, **changed)


def entry(title: str, text: str, kind: EntryKind = "product", **others: Any) -> CatalogEntry:
    ends = [at + 1 for at, letter in enumerate(text) if letter == "." and text[at + 1 : at + 2] in {" ", ""}]
    starts = [0, *(end + 1 for end in ends[:-1])]
    sentences = tuple(zip(starts, ends, strict=True))
    return CatalogEntry(
        id=uuid5(HOUSE, f"row {title}"),
        kind=kind,
        title=title,
        text=text,
        url=f"https://coconut.example/{title.lower().replace(' ', '-')}",
        sentences=sentences,
        sentence_vectors=np.zeros((len(sentences), 384), np.float32),
        score=1.0,
        cosine=0.5,
        updated_at=MAY,
        **others,
    )


PALMA: Final = entry(
    "Palma sofa",
    "The Palma sofa, made from reclaimed coconut wood, is $899 this month instead of $999. It is in stock.",
    category="Sofas",
    price=Decimal(899),
    was=Decimal(999),
    currency="USD",
    in_stock=True,
)
KELAPA: Final = entry(
    "Kelapa chair",
    "The Kelapa chair costs $129. It is in stock.",
    category="Chairs",
    price=Decimal(129),
    currency="USD",
    in_stock=True,
)
FREE_DELIVERY: Final = Promotion(
    id=uuid5(HOUSE, "free delivery"),
    title="Free delivery",
    text="Delivery is free above $500.",
    conditions="That holds within the European Union.",
    begins=date(2026, 5, 1),
    ends=date(2026, 5, 31),
)
SHOP: Final = ProductContext(
    version=1,
    featured=(PALMA, KELAPA),
    pricing=(
        PriceRange("Sofas", Decimal(899), Decimal(1899), "USD", "$899", PALMA.id, PALMA),
        PriceRange("Chairs", Decimal(129), Decimal(349), "USD", "$129", KELAPA.id, KELAPA),
    ),
    promotions=(FREE_DELIVERY,),
)


def fact(subject: str, value: str, kind: FactKind = "event", **others: Any) -> RememberedFact:
    known = RememberedFact(uuid5(HOUSE, value), kind, subject, value, 0.9, MARCH, relevance=0.6)
    return replace(known, **others)


def returning(*memories: RememberedFact, **others: Any) -> CustomerContext:
    return CustomerContext(
        name="Anna Berg",
        email="anna@example.org",
        profile_type="registered",
        returning=True,
        last_interaction=MARCH,
        memories=memories,
        labels=frozenset({"vip"}),
        **others,
    )


def hint(value: str, confidence: float = 0.7) -> Inferred:
    return Inferred("interest", value, confidence, "page", "page_pricing")


def passage(title: str, text: str, **others: Any) -> Passage:
    document = uuid5(HOUSE, title)
    plain = Passage(
        chunk_id=uuid5(document, "0"),
        document_id=document,
        pack_id=HOUSE,
        title=title,
        url=None,
        kind="pack",
        headings=(),
        text=text,
        start=0,
        sentences=(),
        sentence_vectors=np.zeros((0, 384), np.float32),
        score=1.0,
        bm25=0.0,
        cosine=0.5,
        rank=0,
        updated_at=MAY,
        credibility=1.0,
    )
    return replace(plain, **others)


def brief(question: str, passages: Sequence[Passage] = (), **others: Any) -> AnswerBrief:
    return AnswerBrief(question, np.zeros(384, np.float32), {}, tuple(passages), **others)
