"""Documents into chunks: late semantic by default, recursive as the baseline."""

from concierge.knowledge.chunking.chunk import Chunk, Span, TokenEncoder
from concierge.knowledge.chunking.cuts import Sizes
from concierge.knowledge.chunking.late import late_chunks
from concierge.knowledge.chunking.recursive import recursive_chunks
from concierge.knowledge.chunking.reuse import Earlier

__all__ = ["Chunk", "Earlier", "Sizes", "Span", "TokenEncoder", "late_chunks", "recursive_chunks"]
