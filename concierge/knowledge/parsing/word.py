"""Lists of Word documents that are lists by their style alone, made lists by their own paragraphs."""

import copy
import zipfile
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Final, Protocol, Self

from lxml.etree import XMLParser, fromstring, tostring

_W: Final = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_DOCUMENT: Final = "word/document.xml"
_STYLES: Final = "word/styles.xml"
_MAX_STYLE_DEPTH: Final = 10


class Element(Protocol):
    """The part of lxml's elements that is used here; lxml brings no types."""

    def get(self, key: str) -> str | None: ...
    def find(self, path: str) -> Self | None: ...
    def iter(self, tag: str) -> Iterator[Self]: ...
    def getparent(self) -> Self | None: ...
    def addnext(self, element: Self) -> None: ...
    def insert(self, index: int, element: Self) -> None: ...
    def makeelement(self, tag: str, attributes: Mapping[str, str]) -> Self: ...


def with_own_numbering(data: bytes) -> bytes:
    """`data` is a Word file; readers see numbering only on paragraphs, while Word also takes it from their style."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        if not {_DOCUMENT, _STYLES} <= set(archive.namelist()):
            return data
        numbering = _numbering_of_styles(_parsed(archive.read(_STYLES)))
        if not numbering:
            return data
        document = _parsed(archive.read(_DOCUMENT))
        if not _number_paragraphs(document, numbering):
            return data
        return _rewritten(archive, tostring(document))


def _parsed(content: bytes) -> Element:
    # Entities stay unexpanded and the tree is bounded: the file comes from a stranger.
    return fromstring(content, XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _numbering_of_styles(styles: Element) -> dict[str, Element]:
    """Paragraph style → the numbering it has, its own or that of the style it is based on. Headings are no lists."""
    by_name = {str(style.get(f"{_W}styleId")): style for style in styles.iter(f"{_W}style")}
    found: dict[str, Element] = {}
    for name in by_name:
        chain = list(_chain(name, by_name))
        numbered = (style.find(f"{_W}pPr/{_W}numPr") for style in chain)
        numbering = next(
            (one for one in numbered if one is not None and one.find(f"{_W}numId") is not None), None
        )
        if numbering is not None and all(style.find(f"{_W}pPr/{_W}outlineLvl") is None for style in chain):
            found[name] = numbering
    return found


def _chain(name: str, by_name: Mapping[str, Element]) -> Iterator[Element]:
    """The style and those it is based on, nearest first."""
    for _ in range(_MAX_STYLE_DEPTH):
        style = by_name.get(name)
        if style is None:
            return
        yield style
        base = style.find(f"{_W}basedOn")
        name = str(base.get(f"{_W}val")) if base is not None else ""


def _number_paragraphs(document: Element, numbering: Mapping[str, Element]) -> int:
    changed = 0
    for style in document.iter(f"{_W}pStyle"):
        properties = style.getparent()
        wanted = numbering.get(str(style.get(f"{_W}val")))
        if wanted is None or properties is None or properties.find(f"{_W}numPr") is not None:
            continue
        own = copy.deepcopy(wanted)
        if own.find(f"{_W}ilvl") is None:
            own.insert(0, own.makeelement(f"{_W}ilvl", {f"{_W}val": "0"}))
        style.addnext(own)
        changed += 1
    return changed


def _rewritten(archive: zipfile.ZipFile, document: bytes) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w") as copied:
        for entry in archive.infolist():
            # Pictures are never read; without them the copy is small.
            if not entry.filename.startswith("word/media/"):
                copied.writestr(
                    entry.filename, document if entry.filename == _DOCUMENT else archive.read(entry)
                )
    return out.getvalue()
