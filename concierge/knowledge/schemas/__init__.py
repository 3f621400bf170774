"""What crosses the borders of the knowledge room: passages for the writer, packs and sources over HTTP."""

from concierge.knowledge.schemas.packs import FreshnessPolicy, PackIn, PackOut, PackPatch
from concierge.knowledge.schemas.passage import Passage, Span
from concierge.knowledge.schemas.sources import (
    ItemOut,
    NewItem,
    NewSource,
    Progress,
    Rate,
    SourceIn,
    SourceKind,
    SourceOut,
    Stage,
)

__all__ = [
    "FreshnessPolicy",
    "ItemOut",
    "NewItem",
    "NewSource",
    "PackIn",
    "PackOut",
    "PackPatch",
    "Passage",
    "Progress",
    "Rate",
    "SourceIn",
    "SourceKind",
    "SourceOut",
    "Span",
    "Stage",
]
