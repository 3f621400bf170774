"""Shopping feeds as XML: RSS, Atom, and lists of items, with or without Google's namespace."""

from collections.abc import Iterator
from typing import Any, BinaryIO, Final

from lxml.etree import XMLSyntaxError, iterparse

from concierge.kit.records import MAX_FIELDS, MAX_VALUE, Record, UnreadableRecordsError, one_line

_ITEMS: Final = frozenset({"item", "entry", "product"})
_PROLOGUE: Final = 64 * 1024
_GOOGLE: Final = "{http://base.google.com/ns/1.0}"
# An item with more elements is no product.
_MOST_ELEMENTS: Final = 2_000


def rows_of_xml(file: BinaryIO) -> Iterator[Record]:
    """Errors: UnreadableRecordsError. Entities are not unfolded, and nothing is fetched."""
    if b"<!ENTITY" in file.read(_PROLOGUE).upper():
        raise UnreadableRecordsError("It defines entities, which no product feed needs.")
    file.seek(0)
    events = iterparse(
        file,
        events=("start", "end"),
        resolve_entities=False,
        no_network=True,
        huge_tree=False,
        load_dtd=False,
    )
    number = depth = 0
    try:
        for event, element in events:
            name = _local(element.tag)
            if name not in _ITEMS:
                continue
            depth += 1 if event == "start" else -1
            if event == "end" and depth == 0:
                number += 1
                yield _record(number, element)
                _forget(element)
    except XMLSyntaxError as error:
        raise UnreadableRecordsError(
            f"The XML is damaged: {one_line(error.msg or 'it breaks off')}."
        ) from None
    if not number:
        raise UnreadableRecordsError("There are no items in the XML: no <item>, <entry> or <product>.")


def _record(number: int, item: Any) -> Record:
    """Where a name occurs with and without Google's namespace, Google's counts."""
    fields: dict[str, str] = {}
    google: set[str] = set()
    for count, (path, text, is_google) in enumerate(_texts(item, "")):
        if count > _MOST_ELEMENTS or len(fields) > MAX_FIELDS:
            return Record(number, {}, f"It has more than {MAX_FIELDS} fields.")
        if text and (path not in fields or (is_google and path not in google)):
            fields[path] = text[:MAX_VALUE]
            google |= {path} if is_google else set()
    return Record(number, fields)


def _texts(element: Any, above: str) -> Iterator[tuple[str, str, bool]]:
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = _local(child.tag)
        path = f"{above}.{name}" if above else name
        text = (child.text or "").strip() or child.get("href") or ""
        yield path, text, child.tag.startswith(_GOOGLE)
        if len(child):
            yield from _texts(child, path)


def _forget(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while parent is not None and len(parent) and parent[0] is not element:
        del parent[0]


def _local(tag: Any) -> str:
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""
