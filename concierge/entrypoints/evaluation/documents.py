"""What is measured with: documents and questions as JSON lines, or a folder of documents. Every complaint names the line."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

import yaml

from concierge.kit.errors import InvalidInputError, NotFoundError
from concierge.knowledge.parsing.folders import documents_in_folder
from concierge.knowledge.parsing.found import FoundDocument

T = TypeVar("T")
Fields = dict[str, object]


@dataclass(frozen=True, slots=True)
class EvalDocument:
    """`filename` tells the format; the text of a JSON line is Markdown."""

    id: str
    filename: str
    data: bytes


@dataclass(frozen=True, slots=True)
class RetrievalQuery:
    """`history` are the questions asked before this one, oldest first."""

    text: str
    relevant: frozenset[str]
    history: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AnswerQuery:
    """`gold`: texts of which an answer must hold one. `page`: the document it should cite."""

    text: str
    answerable: bool
    gold: tuple[str, ...] = ()
    page: str | None = None


def read_documents(path: Path) -> list[EvalDocument]:
    """Read a corpus: a file of JSON lines, or a folder whose documents' names are their ids.

    Errors: NotFoundError, InvalidInputError.
    """
    if path.is_dir():
        found = [entry for entry in documents_in_folder(path) if isinstance(entry, FoundDocument)]
        documents = [EvalDocument(entry.name, entry.name, entry.data) for entry in found]
    else:
        documents = _read_lines(path, _document)
    if not documents:
        raise InvalidInputError(f"There is no document in {path}.", code="corpus_empty")
    _refuse_repeated(path, [document.id for document in documents])
    return documents


def read_retrieval_queries(path: Path) -> list[RetrievalQuery]:
    return _not_empty(path, _read_lines(path, _retrieval_query))


def read_answer_queries(path: Path) -> list[AnswerQuery]:
    return _not_empty(path, _read_lines(path, _answer_query))


def document_of(name: str, text: str, *, title: str | None = None, url: str | None = None) -> EvalDocument:
    """A Markdown document; title and address travel as front matter, as an author would write them."""
    fields = {key: value for key, value in (("title", title), ("url", url)) if value}
    front = f"---\n{yaml.safe_dump(fields, allow_unicode=True, width=10_000)}---\n\n" if fields else ""
    return EvalDocument(name, f"{name}.md", (front + text).encode("utf-8", errors="replace"))


def _document(fields: Fields) -> EvalDocument:
    return document_of(
        _text(fields, "id"),
        _text(fields, "text", may_be_empty=True),
        title=_optional_text(fields, "title"),
        url=_optional_text(fields, "url"),
    )


def _retrieval_query(fields: Fields) -> RetrievalQuery:
    relevant = _texts(fields, "relevant")
    if not relevant:
        raise _BadLineError("`relevant` must name at least one document")
    return RetrievalQuery(_text(fields, "query"), frozenset(relevant))


def _answer_query(fields: Fields) -> AnswerQuery:
    gold = tuple(_texts(fields, "answer")) if fields.get("answer") is not None else ()
    page = _optional_text(fields, "page")
    answerable = fields.get("answerable", True)
    if not isinstance(answerable, bool):
        raise _BadLineError("`answerable` must be true or false")
    if answerable and not gold and page is None:
        raise _BadLineError("an answerable question needs an `answer` (gold texts) or a `page`")
    return AnswerQuery(_text(fields, "query"), answerable, gold, page)


class _BadLineError(ValueError):
    """What is wrong with a line, without saying which."""


def _read_lines(path: Path, read: Callable[[Fields], T]) -> list[T]:
    return [_read_line(path, number, line, read) for number, line in _lines(path) if line.strip()]


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    try:
        with path.open(encoding="utf-8") as lines:
            yield from enumerate(lines, 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {path}.", code="path_not_found") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            f"{path} could not be read as UTF-8 text: {error}.", code="file_unreadable"
        ) from error


def _read_line(path: Path, number: int, line: str, read: Callable[[Fields], T]) -> T:
    try:
        return read(_object(json.loads(line)))
    except json.JSONDecodeError as error:
        reason = f"this is no JSON ({error.msg} at character {error.colno})"
    except _BadLineError as error:
        reason = str(error)
    raise InvalidInputError(f"{path}, line {number}: {reason}.", code="line_invalid")


def _object(value: object) -> Fields:
    if not isinstance(value, dict):
        raise _BadLineError("a JSON object is expected")
    return cast("Fields", value)


def _text(fields: Fields, name: str, *, may_be_empty: bool = False) -> str:
    value = fields.get(name)
    if value is None:
        raise _BadLineError(f"`{name}` is missing")
    if not isinstance(value, str):
        raise _BadLineError(f"`{name}` must be a text")
    if not value.strip() and not may_be_empty:
        raise _BadLineError(f"`{name}` is empty")
    return value


def _optional_text(fields: Fields, name: str) -> str | None:
    return _text(fields, name) if fields.get(name) is not None else None


def _texts(fields: Fields, name: str) -> list[str]:
    """A list of texts; one text alone is a list of one."""
    value = fields.get(name)
    if value is None:
        raise _BadLineError(f"`{name}` is missing")
    entries = [value] if isinstance(value, str) else value
    if not isinstance(entries, list):
        raise _BadLineError(f"`{name}` must be a list of texts")
    texts = cast("list[object]", entries)
    if not all(isinstance(entry, str) and entry.strip() for entry in texts):
        raise _BadLineError(f"`{name}` must be a list of texts that are not empty")
    return [str(entry) for entry in texts]


def _not_empty(path: Path, queries: list[T]) -> list[T]:
    if not queries:
        raise InvalidInputError(f"There is no question in {path}.", code="queries_empty")
    return queries


def _refuse_repeated(path: Path, ids: list[str]) -> None:
    seen: set[str] = set()
    for name in ids:
        if name in seen:
            raise InvalidInputError(f"{path}: two documents have the id “{name}”.", code="id_repeated")
        seen.add(name)
