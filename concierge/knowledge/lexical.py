"""Words for matching, as the knowledge room counts them; what they are is said in `concierge.kit.words`."""

from uuid import UUID

from concierge.kit.words import (
    K1,
    MAX_TERM_LENGTH,
    STOP_WORDS,
    TERM_DIMENSIONS,
    USUAL_CHUNK_TERMS,
    B,
    codes_in,
    document_weights,
    idf,
    local_term,
    term_id,
    terms,
)

__all__ = [
    "K1",
    "MAX_TERM_LENGTH",
    "STOP_WORDS",
    "TERM_DIMENSIONS",
    "USUAL_CHUNK_TERMS",
    "B",
    "codes_in",
    "document_weights",
    "idf",
    "index_term",
    "term_id",
    "terms",
]


def index_term(index_id: UUID, term: str) -> int:
    """A term within one index of a pack as a signed 64-bit integer, so that posting lists are local to the index."""
    return local_term(index_id, term)
