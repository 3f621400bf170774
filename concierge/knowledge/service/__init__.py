"""Decisions about knowledge: packs, sources and what became of them."""

from concierge.knowledge.service.contradictions import (
    CONTRADICTIONS_TASK,
    ContradictionSearch,
    ContradictionService,
)
from concierge.knowledge.service.export import PackExport
from concierge.knowledge.service.feeds import FeedService
from concierge.knowledge.service.freshness import REFRESH_TASK
from concierge.knowledge.service.imports import PackImport
from concierge.knowledge.service.indexes import REINDEX_TASK, REMOVE_INDEX_TASK, IndexService
from concierge.knowledge.service.judgements import JudgementService
from concierge.knowledge.service.names import KnownNames
from concierge.knowledge.service.packs import PackService
from concierge.knowledge.service.search import SearchService
from concierge.knowledge.service.sources import INGEST_TASK, SourceService
from concierge.knowledge.service.texts import TextService
from concierge.knowledge.service.watch import SourceWatch

__all__ = [
    "CONTRADICTIONS_TASK",
    "INGEST_TASK",
    "REFRESH_TASK",
    "REINDEX_TASK",
    "REMOVE_INDEX_TASK",
    "ContradictionSearch",
    "ContradictionService",
    "FeedService",
    "IndexService",
    "JudgementService",
    "KnownNames",
    "PackExport",
    "PackImport",
    "PackService",
    "SearchService",
    "SourceService",
    "SourceWatch",
    "TextService",
]
