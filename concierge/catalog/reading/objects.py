"""JSON without having all of it: the elements of a list one by one, or an object on each line."""

import json
from collections.abc import Iterator
from typing import Any, Final, Literal, TextIO

from concierge.kit.records import DECODER, Record, UnreadableRecordsError, is_object, parsed, record_of

_BLOCK: Final = 1 << 16
# The longest object that is a row, in characters.
LONGEST: Final = 2 * 1024 * 1024
_SPACE: Final = " \t\r\n\ufeff"
_DEEPEST: Final = 4


def rows_of_json(text: TextIO) -> tuple[Literal["json", "jsonl"], Iterator[Record]]:
    """Errors, while the rows are read: UnreadableRecordsError."""
    line = text.readline(LONGEST)
    more = bool(text.readline(LONGEST).strip())
    text.seek(0)
    if line.lstrip(_SPACE).startswith("{") and is_object(line) and (more or not _has_list(line)):
        return "jsonl", _lines(text)
    return "json", _elements(text)


def _has_list(line: str) -> bool:
    return _holds_objects(parsed(line), 0)


def _holds_objects(value: Any, depth: int) -> bool:
    """Whether an object has a list of objects in it, near its top."""
    if isinstance(value, list):
        return bool(value) and isinstance(value[0], dict)
    inner: list[Any] = list(value.values()) if isinstance(value, dict) and depth <= _DEEPEST else []
    return any(_holds_objects(own, depth + 1) for own in inner)


def _lines(text: TextIO) -> Iterator[Record]:
    number = 0
    while line := text.readline(LONGEST):
        number += 1
        if not line.strip(_SPACE):
            continue
        try:
            yield record_of(number, parsed(line.strip(_SPACE)))
        except UnreadableRecordsError:
            yield Record(number, {}, "The line is not valid JSON.")


def _elements(text: TextIO) -> Iterator[Record]:
    source = _Source(text)
    if not _find_list(source, 0):
        raise UnreadableRecordsError("There is no list of objects in the file.")
    number = 0
    while source.peek() not in {"]", ""}:
        number += 1
        yield record_of(number, source.value())
        if source.peek() == ",":
            source.take()
    if source.peek() == "":
        raise UnreadableRecordsError("The list has no end.")


def _find_list(source: "_Source", depth: int) -> bool:
    """Go to the first element of the first list of objects. Returns whether there is one."""
    if source.peek() == "[":
        source.take()
        return source.peek() in {"{", "]"}
    if source.peek() != "{" or depth > _DEEPEST:
        return False
    source.take()
    while source.peek() not in {"}", ""}:
        source.value()
        if source.peek() != ":":
            return False
        source.take()
        if _leads_to_list(source, depth):
            return True
        if source.peek() == ",":
            source.take()
    source.take()
    return False


def _leads_to_list(source: "_Source", depth: int) -> bool:
    """Look into a value; one that is no list of objects is passed over."""
    if source.peek() == "{":
        return _find_list(source, depth + 1)
    if source.opens_objects():
        source.take()
        return True
    source.value()
    return False


class _Source:
    """Characters of a file, of which values can be taken."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._buffer = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that is no space; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                if self._buffer[self._at] not in _SPACE:
                    return self._buffer[self._at]
                self._at += 1
            if not self._more():
                return ""

    def opens_objects(self) -> bool:
        """Whether a list begins here whose first element is an object."""
        while self.peek() == "[":
            rest = self._buffer[self._at + 1 :].lstrip(_SPACE)
            if rest:
                return rest.startswith("{")
            if not self._more():
                return False
        return False

    def take(self) -> None:
        self.peek()
        self._at += 1

    def value(self) -> Any:
        self.peek()
        while True:
            try:
                value, end = DECODER.raw_decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                too_long = len(self._buffer) - self._at > LONGEST
                if too_long or not self._more():
                    raise UnreadableRecordsError(f"It is not valid JSON: {error.msg.lower()}.") from None
            except RecursionError:
                raise UnreadableRecordsError("It is nested too deeply.") from None
            else:
                # A number may go on in the next block.
                if end < len(self._buffer) or not self._more():
                    self._at = end
                    return value

    def _more(self) -> bool:
        if self._ended:
            return False
        block = self._text.read(_BLOCK + (len(self._buffer) - self._at))
        self._ended = not block
        self._buffer = self._buffer[self._at :] + block
        self._at = 0
        return bool(block)
