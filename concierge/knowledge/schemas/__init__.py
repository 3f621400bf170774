"""What crosses the borders of the knowledge room: passages for the writer, packs and sources over HTTP."""

from concierge.knowledge.schemas.packs import PackIn, PackOut
from concierge.knowledge.schemas.passage import Passage, Span
from concierge.knowledge.schemas.sources import (
    ItemOut,
    NewItem,
    NewSource,
    Progress,
    SourceIn,
    SourceKind,
    SourceOut,
)

__all__ = [
    "ItemOut",
    "NewItem",
    "NewSource",
    "PackIn",
    "PackOut",
    "Passage",
    "Progress",
    "SourceIn",
    "SourceKind",
    "SourceOut",
    "Span",
]
