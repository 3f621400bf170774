"""The answer of a question–answer pair, said in full as it was written, with the pair as its source."""

import re
from collections.abc import Iterator

from concierge.chat.writers.brief import Claim, WrittenAnswer
from concierge.chat.writers.citations import citation_of, marked
from concierge.knowledge.schemas import Passage, Span
from concierge.knowledge.sources.pairs import answer_in

# Somebody wrote the answer to just this question; what is left is that the two questions are not quite the same.
CONFIDENCE = 0.95
NUMBER = 1

_BLOCK = re.compile(
    r"(?:^(?:```|~~~).*?^(?:```|~~~)[^\n]*$)|(?:[^\n]+(?:\n(?!\s*\n|```|~~~)[^\n]+)*)",
    re.DOTALL | re.MULTILINE,
)
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_NO_PROSE = re.compile(r"\s*(?:\||```|~~~|#{1,6}\s)")


def answer_of(pair: Passage) -> WrittenAnswer:
    begin = answer_in(pair.text)
    answer = pair.text[begin:]
    blocks = list(_blocks(answer))
    pieces = tuple(_pieces(answer, blocks))
    claims = tuple(_claim(pair, begin + start, begin + end) for start, end in blocks)
    return WrittenAnswer(
        text="".join(pieces),
        outcome="answered",
        confidence=CONFIDENCE,
        claims=claims,
        citations=(citation_of(pair, NUMBER, pair.start + begin, pair.start + len(pair.text)),),
        pieces=pieces,
    )


def _blocks(answer: str) -> Iterator[Span]:
    """The paragraphs, lists, tables and blocks of code of an answer."""
    for found in _BLOCK.finditer(answer):
        if found.group().strip():
            yield found.span()


def _pieces(answer: str, blocks: list[Span]) -> Iterator[str]:
    """The answer in pieces that join to it, a mark at the end of each block that can bear one and of the last."""
    said = 0
    for start, end in blocks:
        block = answer[start:end]
        is_last = (start, end) == blocks[-1]
        yield answer[said:start] + (_marked(block) if is_last or not _NO_PROSE.match(block) else block)
        said = end


def _marked(block: str) -> str:
    if _NO_PROSE.match(block):
        return f"{block}\n\n[{NUMBER}]"
    if _ITEM.match(block.rpartition("\n")[2]):
        return f"{block} [{NUMBER}]"
    return f"{block[:-1]} [{NUMBER}]:" if block.endswith(":") else marked(block, NUMBER)


def _claim(pair: Passage, start: int, end: int) -> Claim:
    said = pair.text[start:end]
    return Claim(said, NUMBER, said, pair.start + start, pair.start + end)
