"""Marks that name sources, as models write them: [1], [1, 2], [1][2], 【1†source】, [Source 3], before or after a full stop."""

import re
from collections.abc import Iterator

from concierge.knowledge.schemas import Span

_NAME = r"(?:(?:sources?|src|refs?|references?|docs?|documents?|passages?|citations?)[\s:#.]{0,3})?"
_MORE = rf"(?:\s{{0,3}}(?:[,;&–-]|and)\s{{0,3}}[\^#]?{_NAME}\d{{1,4}}){{0,30}}"
_MARK = re.compile(
    rf"[ \t]{{0,4}}(?:\[\s{{0,3}}[\^#]?{_NAME}\d{{1,4}}{_MORE}\s{{0,3}}\](?!\w)(?:\([^()\s]{{0,300}}\)|:(?=\s|$))?|【[^】\n]{{0,60}}】)",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(\d{1,4})(?:\s{0,3}[–-]\s{0,3}(\d{1,4}))?")
_CODE = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1|\Z)|`[^`\n]+`", re.DOTALL | re.MULTILINE)
_LONGEST_RANGE = 20


def marks_of(text: str) -> list[tuple[Span, tuple[int, ...]]]:
    """Where marks stand in a text and the numbers they name, those of code left out."""
    code = [found.span() for found in _CODE.finditer(text)] if "`" in text or "~~~" in text else []
    found: list[tuple[Span, tuple[int, ...]]] = []
    position = 0
    for match in _MARK.finditer(text):
        while position < len(code) and code[position][1] <= match.start():
            position += 1
        if position == len(code) or code[position][0] >= match.end():
            found.append((match.span(), tuple(_numbers(match.group().partition("(")[0].partition("†")[0]))))
    return found


def _numbers(mark: str) -> Iterator[int]:
    for first, last in _NUMBER.findall(mark):
        start, end = int(first), int(last or first)
        yield from range(start, end + 1) if 0 <= end - start <= _LONGEST_RANGE else (start, end)


def blanked(text: str, spans: list[Span]) -> str:
    """The text with spaces in these places, so that every other character keeps its own."""
    parts: list[str] = []
    position = 0
    for start, end in spans:
        parts += text[position:start], " " * (end - start)
        position = end
    return "".join((*parts, text[position:]))
