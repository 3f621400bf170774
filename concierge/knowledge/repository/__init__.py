"""All SQL of the knowledge room: packs and sources, documents with their chunks, and search."""

from concierge.knowledge.repository.chunks import ChunkRepository, NewChunk, mean_vector
from concierge.knowledge.repository.documents import DocumentRepository, NewDocument
from concierge.knowledge.repository.indexes import IndexRepository, IndexSize, plan_of
from concierge.knowledge.repository.judgements import Judgement, JudgementRepository
from concierge.knowledge.repository.packs import PackRepository
from concierge.knowledge.repository.search import Candidate, SearchRepository
from concierge.knowledge.repository.sources import PendingItem, SourceRepository, Tally, Validators
from concierge.knowledge.repository.syncs import SyncRepository

__all__ = [
    "Candidate",
    "ChunkRepository",
    "DocumentRepository",
    "IndexRepository",
    "IndexSize",
    "Judgement",
    "JudgementRepository",
    "NewChunk",
    "NewDocument",
    "PackRepository",
    "PendingItem",
    "SearchRepository",
    "SourceRepository",
    "SyncRepository",
    "Tally",
    "Validators",
    "mean_vector",
    "plan_of",
]
