"""Documents for the writer's tests, cut and embedded as the product does it, with a small search over them."""

from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID, uuid5

import numpy as np

from concierge.chat.writers.brief import AnswerBrief
from concierge.knowledge.chunking import Chunk, late_chunks
from concierge.knowledge.lexical import idf, terms
from concierge.knowledge.schemas import Passage
from concierge.llm.minilm import MiniLM

HOUSE = UUID(int=7)

DOCUMENTS: Mapping[str, str] = {
    "Palma sofa": """# Palma sofa

The Palma is a three-seat sofa made of reclaimed coconut wood. It comes in two packages and two people put it together in 15 minutes.

## At a glance

| | |
|---|---|
| Weight | 58 kg |
| Maximum load | 330 kg |
| Colours | Sand, Palm Green, Terracotta, Charcoal |

## Warranty

It carries a warranty of **10 years** on the frame. However, cushions are covered for [three years](https://coconut.example/cushions).
""",
    "Delivery": """# Delivery

We deliver to the European Union, Norway and Switzerland.

| Country | Price | Delivery time |
|---|---|---|
| Germany | $29 | 5 working days |
| Norway | $39 | 8 working days |
| Switzerland | $45 | 9 working days |
""",
    "Returns": """# Returns

You have 30 days from delivery to return any standard product.

To start a return:

1. Open your order and choose Return.
2. Print the label and stick it on the carton.
3. Hand the carton to our driver on the agreed day.

These cannot be returned:

- Made-to-measure tables
- Gift cards
- Mattress toppers
""",
    "Questions": """# Questions

## Can I bring my dog to the showroom?

Gladly, dogs are welcome in all our showrooms. We only ask that they stay off the sofas.

Q: Do you plant trees?
A: Yes, one for every table sold.
""",
}


def _passage(title: str, chunk: Chunk, rank: int) -> Passage:
    document = uuid5(HOUSE, title)
    return Passage(
        chunk_id=uuid5(document, str(chunk.start)),
        document_id=document,
        pack_id=HOUSE,
        title=title,
        url=f"https://coconut.example/{title.lower().replace(' ', '-')}",
        kind="pack",
        headings=chunk.headings,
        text=chunk.text,
        start=chunk.start,
        sentences=chunk.sentences,
        sentence_vectors=chunk.sentence_vectors,
        score=1.0,
        bm25=0.0,
        cosine=0.0,
        rank=rank,
        updated_at=None,
        credibility=1.0,
    )


class Library:
    """All documents' passages, ranked for a question by the best of their sentences and by words."""

    def __init__(self, model: MiniLM, documents: Mapping[str, str] = DOCUMENTS) -> None:
        self.model = model
        self.documents = dict(documents)
        self._chunks = [
            (title, chunk) for title, text in documents.items() for chunk in late_chunks([text], model)[0]
        ]
        self._means = {
            title: np.mean([chunk.vector for name, chunk in self._chunks if name == title], axis=0)
            for title in documents
        }

    def brief(self, question: str) -> AnswerBrief:
        vector = self.model.embed([question])[0]
        bags = [set(terms(f"{title} {chunk.text}")) for title, chunk in self._chunks]
        weights = {term: idf(len(bags), sum(term in bag for bag in bags)) for term in terms(question)}
        scored = [
            (
                float(chunk.vector @ vector) + 0.1 * sum(weights[term] for term in weights if term in bag),
                title,
                chunk,
            )
            for (title, chunk), bag in zip(self._chunks, bags, strict=True)
        ]
        scored.sort(key=lambda entry: -entry[0])
        passages: list[Passage] = []
        for rank, (score, title, chunk) in enumerate(scored[:8]):
            cosine = float(np.dot(chunk.vector, vector))
            mean = self._means[title]
            document = float(np.dot(mean, vector) / np.linalg.norm(mean))
            passage = _passage(title, chunk, rank)
            passages.append(replace(passage, score=score, cosine=cosine, document_cosine=document))
        return AnswerBrief(question, vector, weights, tuple(passages))
