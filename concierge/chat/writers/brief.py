"""What a writer is given and what it returns: the one protocol the house writer and a language model share."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from concierge.agents.schemas import GroundingMode
from concierge.agents.schemas.policy import STRICT_ABOVE
from concierge.catalog.schemas.context import ProductContext
from concierge.chat.strategy.schemas import Length, Strategy
from concierge.chat.sums import Sum
from concierge.customers.schemas.context import CustomerContext
from concierge.knowledge.contradictions import Contradiction
from concierge.knowledge.schemas import Passage
from concierge.llm.structured import FailureKind
from concierge.llm.writing import Tokens

Outcome = Literal["answered", "partial", "unsupported", "small_talk"]


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """`question_vector` is normalised, and compared with passages that do not bring their own; `passages` come best first; `idf` maps stemmed question terms to
    their inverse document frequency in the packs that were searched.

    `pair`, which is then the first passage, is a question–answer pair that asks the same: its answer is the answer.
    `turn` counts the agent's earlier turns in the conversation, so that set phrases do not repeat themselves.
    `lead` is how far the first passage stands above those that merely share the subject, None where one cannot tell.
    `said` are the agent's earlier replies in the conversation, oldest first; `meant` is what the question means after them.
    `language` is the question's, as a two-letter code. `trouble` is
    what hurts, in the visitor's words, where that is to be dealt with; `about` the title of the page that the last reply
    was from, where the question goes on from there.
    `strict_above` is the support from which on strict grounding gives an answer as one.
    `contradictions` are statements of the passages that disagree. `max_sentences` bounds the sentences of prose; a list, a table or a run of steps counts as one.
    """

    question: str
    question_vector: NDArray[np.float32]
    idf: Mapping[str, float]
    passages: tuple[Passage, ...]
    max_sentences: int = 3
    length: Length = "normal"
    turn: int = 0
    agent_name: str | None = None
    contradictions: tuple[Contradiction, ...] = ()
    lead: float | None = None
    pair: Passage | None = None
    strategy: Strategy | None = None
    customer: CustomerContext | None = None
    products: ProductContext | None = None
    said: tuple[str, ...] = ()
    grounding: GroundingMode = "blended"
    strict_above: float = STRICT_ABOVE
    sum: Sum | None = None
    meant: str = ""
    language: str = "en"
    trouble: tuple[str, ...] = ()
    about: str | None = None

    @property
    def asked(self) -> str:
        """The question as it is to be answered; `question` is how it was put."""
        return self.meant or self.question

    @property
    def unfinished(self) -> str | None:
        """What the customer was last here for, as they call it."""
        memories = self.customer.memories if self.customer else ()
        about = [fact for fact in memories if fact.kind in {"problem", "goal"} and fact.subject]
        return max(about, key=lambda fact: fact.valid_from).subject if about else None

    def cosines(self, passage: Passage) -> NDArray[np.float32]:
        """Compare the sentences of a passage with the question: (sentences,)."""
        vector = passage.question_vector
        return passage.sentence_vectors @ (self.question_vector if vector is None else vector)


@dataclass(frozen=True, slots=True)
class Citation:
    """One numbered source. `quote == document.text[start:end]`, character for character; `page` is the one it begins on,
    where the document has pages.
    """

    number: int
    document_id: UUID
    chunk_id: UUID
    title: str
    url: str | None
    kind: str
    score: float
    quote: str
    start: int
    end: int
    page: int | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """One written sentence, list item or table row, without its mark, and the exact words it was made from.

    A title, heading or column name that the answer sets before those words ("Palma sofa, weight: …") is not in `text`;
    of a table row `text` holds all cells, also those a short answer leaves out.
    `replaced` holds the pronoun that was replaced and the subject that stands there now.
    """

    text: str
    number: int
    quote: str
    start: int
    end: int
    replaced: tuple[str, str] | None = None


CallOutcome = Literal["answered", "unpriced", "leaked", "empty"] | FailureKind


@dataclass(frozen=True, slots=True)
class ModelCall:
    """What became of asking a model: `micro_dollars` is None where nobody knows what it costs."""

    model: str
    outcome: CallOutcome
    tokens: Tokens = field(default_factory=Tokens)
    micro_dollars: int | None = 0
    first_word_ms: float | None = None
    milliseconds: float = 0.0
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """What a model wrote, before it is checked: the number n in a mark means `sources[n - 1]`.

    `house` is the house writer's answer to the same brief, for where nothing of the draft can be proved.
    """

    text: str
    sources: tuple[Passage, ...]
    house: "WrittenAnswer"


@dataclass(frozen=True, slots=True)
class WrittenAnswer:
    """`confidence` is the probability, 0 to 1, that the passages answer the question; `pieces` join to `text`.

    `draft` is there when a model wrote it, and `calls` are those made of models, also when none of them answered.
    """

    text: str
    outcome: Outcome
    confidence: float
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    pieces: tuple[str, ...] = field(default=(), repr=False)
    offers_handover: bool = False
    draft: Draft | None = None
    calls: tuple[ModelCall, ...] = ()


@dataclass(frozen=True, slots=True)
class TextDelta:
    text: str


@dataclass(frozen=True, slots=True)
class CitationAdded:
    citation: Citation


@dataclass(frozen=True, slots=True)
class Restarted:
    """What was written so far is taken back: it is written anew."""


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    answer: WrittenAnswer


WriterEvent = TextDelta | CitationAdded | Restarted | AnswerFinished


class Writer(Protocol):
    """Streams an answer: text as it comes, each citation no later than its first mark, the whole answer last."""

    def stream(self, brief: AnswerBrief) -> AsyncIterator[WriterEvent]: ...
