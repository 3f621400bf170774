"""A reply as it is judged: what was said, what it rests on, and what was decided for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from concierge.kit.sentences import sentence_spans

_MARKER: Final = re.compile(r"\s*\[\d+\]")
_LIST: Final = re.compile(r"\s*(?:[-*•+]\s|\d{1,3}[.)]\s|\||```)")
_ADDRESS: Final = re.compile(r"https?://\S+|\S+@\S+")
COMPARED_ENDS: Final = 30


@dataclass(frozen=True, slots=True)
class Sentence:
    """`text` is without the marks of its sources; `cited` is whether it bears one. A line of a list is a sentence."""

    text: str
    cited: bool
    listed: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    title: str
    url: str
    quote: str


@dataclass(frozen=True, slots=True)
class Reply:
    """`before` are the agent's earlier replies of the conversation, oldest first, `asked` the visitor's messages with
    this one. `outcome`, `tone`, `strategy`, `stage` and `escalation` are the trace's; None where it has none.
    """

    text: str
    sources: tuple[Source, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    outcome: str | None = None
    strategy: str | None = None
    tone: str | None = None
    stage: str | None = None
    escalation: str | None = None
    most_sentences: int | None = None
    asked: tuple[str, ...] = ()
    before: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        body: Mapping[str, Any],
        trace: Mapping[str, Any],
        *,
        asked: tuple[str, ...] = (),
        before: tuple[str, ...] = (),
    ) -> Self:
        """From a reply in the shape of `ChatOut`, and the trace of its turn."""
        strategy = trace.get("strategy") or {}
        return cls(
            text=body["response"],
            sources=tuple(
                Source(source["title"], source["url"] or "", source["quote"]) for source in body["sources"]
            ),
            claims=tuple((claim["text"], claim["status"]) for claim in body["claims"]),
            outcome=(trace.get("answer") or {}).get("outcome"),
            strategy=strategy.get("fallback"),
            tone=strategy.get("tone"),
            stage=(trace.get("stage") or {}).get("name"),
            escalation=(strategy.get("escalation") or {}).get("reason"),
            most_sentences=(strategy.get("parameters") or {}).get("max_sentences"),
            asked=asked,
            before=before,
        )

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return tuple(sentences_of(self.text))

    @property
    def opening(self) -> str:
        """The first sentence where it carries no source and asks nothing, in front of others; else empty."""
        first, *rest = self.sentences or (Sentence("", cited=True),)
        spoken = not first.cited and not first.listed and not first.text.endswith(("?", ":"))
        return first.text if rest and spoken and any(other.cited for other in rest) else ""

    def claims_hold(self, sentence: Sentence) -> bool:
        """Whether a sentence ends like one within a claim: the mark of a claim stands behind its last sentence."""
        return any(sentence.text[-COMPARED_ENDS:] in text for text, _ in self.claims)

    @property
    def questions(self) -> int:
        """How many sentences ask something in the agent's own words; what is quoted is not its question."""
        return sum(sentence.text.endswith("?") and not sentence.cited for sentence in self.sentences)


def sentences_of(text: str) -> Iterator[Sentence]:
    """The sentences of a reply; a mark behind a sentence's stop belongs to it, as do the lines of a table or code."""
    for line in text.splitlines():
        if not line.strip():
            continue
        if _LIST.match(line):
            yield Sentence(_MARKER.sub("", line).strip(), bool(_MARKER.search(line)), listed=True)
        else:
            yield from _prose(line)


def _prose(line: str) -> Iterator[Sentence]:
    # The mark stands before the stop or behind it; before it, the sentence ends where its reader sees it end.
    joined = re.sub(r"([.!?:])((?:\s*\[\d+\])+)", r"\2\1", line)
    for start, end in sentence_spans(joined):
        sentence = joined[start:end].strip()
        if sentence:
            yield Sentence(_MARKER.sub("", sentence).strip(), bool(_MARKER.search(sentence)))


def without_addresses(text: str) -> str:
    return _ADDRESS.sub(" ", text)
