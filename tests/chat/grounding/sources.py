"""Passages that drafts are grounded in."""

from uuid import NAMESPACE_URL, UUID, uuid5

import numpy as np

from concierge.kit.sentences import sentence_spans
from concierge.knowledge.schemas import Passage


def passage(
    text: str,
    title: str = "Help",
    *,
    headings: tuple[str, ...] = (),
    url: str | None = None,
    start: int = 0,
    authoritative: bool = False,
    document: UUID | None = None,
) -> Passage:
    """A passage that begins at `start` in its document, with vectors of nothing."""
    sentences = tuple((begin + start, end + start) for begin, end in sentence_spans(text))
    return Passage(
        chunk_id=uuid5(NAMESPACE_URL, text),
        document_id=document or uuid5(NAMESPACE_URL, title + text),
        pack_id=uuid5(NAMESPACE_URL, "pack"),
        title=title,
        url=url,
        kind="pack",
        headings=headings,
        text=text,
        start=start,
        sentences=sentences,
        sentence_vectors=np.zeros((len(sentences), 4), dtype=np.float32),
        score=1.0,
        bm25=1.0,
        cosine=0.5,
        rank=0,
        updated_at=None,
        credibility=0.5,
        authoritative=authoritative,
    )


RETURNS = passage(
    "You have 30 days from delivery to return any product. We collect returned products for free. Gift cards cannot be "
    "returned. After the return has arrived, refunds take up to 5 working days. Only customers with a receipt get cash.",
    "Returns",
)
FURNITURE = passage(
    "The Palma sofa costs $899 and weighs 58 kg. The Lagoon table costs $1,299.00. It ships within 2 weeks. The frame of the "
    "Palma is made of reclaimed coconut wood. The cushions have a warranty of 5 years, and the frame has one of 10 years. "
    "Call +47 22 33 44 55 or write to help@coconut.example. The Kelapa KX-20 seats at least four people.",
    "Furniture",
)
DELIVERY = passage(
    "| Country | Price | Time |\n|---|---|---|\n| Norway | $39 | 5 days |\n| Iceland | $49 | 9 days |\n\nDelivery is free above "
    "$500. We deliver on weekdays between 9 am and 5 pm. Assembly is not included. Delivery to islands is unavailable.",
    "Delivery",
    url="https://coconut.example/delivery",
)
CARE = passage(
    "These cannot be washed:\n\n- Wool covers\n- Leather covers\n\nThese can be washed at 30 degrees:\n\n- Linen covers\n\n"
    "Before washing, remove the zip cover. About 10 % of the colour is lost in the first wash. The shop was founded on "
    "5 March 2012 by Ana Silva. Version 2.1 of the care guide replaced version 2.0.",
    "Care",
)
SOURCES = (RETURNS, FURNITURE, DELIVERY, CARE)
