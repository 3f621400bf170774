"""Rows that a PDF sets under each other, which reading order alone runs together into one paragraph."""

import re
from collections.abc import Iterable
from typing import Final

_NOT_WORD: Final = re.compile(r"\W+")
# A line that ends this far before the right edge ended on purpose.
_SHORT_SHARE: Final = 0.7
_MIN_ROWS: Final = 2
_SENTENCE_END: Final = (".", "!", "?", ":", ";", ",")


def with_rows(content: str, paragraphs: Iterable[str]) -> str:
    """`content` is Markdown; `paragraphs` are its paragraphs with the line ends of the page. Rows become list items."""
    broken = [paragraph.split("\n") for paragraph in paragraphs if "\n" in paragraph]
    width = max((len(line) for lines in broken for line in lines), default=0)
    reflowed = {_key(" ".join(lines)): _reflowed(lines, width) for lines in broken}
    return "\n\n".join(reflowed.get(_key(block), block) for block in content.split("\n\n"))


def _key(text: str) -> str:
    return _NOT_WORD.sub("", text)


def _reflowed(lines: list[str], width: int) -> str:
    """Full lines are joined to paragraphs; short ones in a row stay apart."""
    blocks: list[str] = []
    flowing: list[str] = []
    at = 0
    while at < len(lines):
        rows = _rows_at(lines, at, width) if not flowing or _ends(flowing[-1], width) else 0
        if rows >= _MIN_ROWS:
            blocks += [" ".join(flowing)] if flowing else []
            blocks.append("\n".join(f"- {line.strip()}" for line in lines[at : at + rows]))
            flowing = []
            at += rows
        else:
            flowing.append(lines[at].strip())
            at += 1
    return "\n\n".join([*blocks, *([" ".join(flowing)] if flowing else [])])


def _rows_at(lines: list[str], at: int, width: int) -> int:
    """How many lines from `at` on are rows: short, and not the running text of a narrow column."""
    count = 0
    for line in lines[at:]:
        text = line.strip()
        if len(text) > _SHORT_SHARE * width or text.endswith(_SENTENCE_END) or text[:1].islower():
            break
        count += 1
    return count


def _ends(line: str, width: int) -> bool:
    return len(line) <= _SHORT_SHARE * width or line.endswith(_SENTENCE_END)
