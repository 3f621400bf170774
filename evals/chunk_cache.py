"""Chunks kept on disk, so that what costs minutes (the model) is done once and everything after it runs anew each time."""

import hashlib
import os
import pickle
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

import concierge
from concierge.knowledge.chunker import Chunker
from concierge.knowledge.chunking import Chunk, Earlier

PACKAGE = Path(concierge.__file__).parent
# Whatever decides what a text's chunks and vectors are.
DECIDES_CHUNKS = ("knowledge/chunking", "knowledge/chunker.py", "llm/minilm")


def code_digest(*parts: str) -> str:
    """A hash of the source code under these paths of the package."""
    digest = hashlib.sha256()
    for path in _modules(parts):
        digest.update(str(path.relative_to(PACKAGE)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def digest_of(texts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text.encode() + b"\0")
    return digest.hexdigest()[:16]


def _modules(parts: Sequence[str]) -> Iterator[Path]:
    for part in parts:
        path = PACKAGE / part
        yield from sorted(path.rglob("*.py")) if path.is_dir() else [path]


class CachedChunker:
    """Asks `chunker` for what is not in `folder` yet; a change to the chunking code starts a new folder."""

    def __init__(self, chunker: Chunker, folder: Path) -> None:
        self._chunker = chunker
        self._folder = folder / code_digest(*DECIDES_CHUNKS)
        self._folder.mkdir(parents=True, exist_ok=True)

    async def chunks(self, text: str, earlier: Earlier | None = None) -> Sequence[Chunk]:
        path = self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:40]}.pickle"
        if path.exists():
            rows = pickle.loads(path.read_bytes())  # noqa: S301  # Written by the lines below, into our own folder.
            return [_chunk(text, row) for row in rows]
        chunks = await self._chunker.chunks(text, earlier)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_bytes(pickle.dumps([_row(chunk) for chunk in chunks]))
        partial.rename(path)
        return [_chunk(text, _row(chunk)) for chunk in chunks]


Row = tuple[int, int, tuple[str, ...], tuple[tuple[int, int], ...], bytes, bytes]


def _row(chunk: Chunk) -> Row:
    """What the database keeps of a chunk, at the precision it keeps."""
    vector, sentences = chunk.vector.astype(np.float16), chunk.sentence_vectors.astype(np.float16)
    return chunk.start, chunk.end, chunk.headings, chunk.sentences, vector.tobytes(), sentences.tobytes()


def _chunk(text: str, row: Row) -> Chunk:
    start, end, headings, spans, vector, sentences = row
    rows = np.frombuffer(sentences, dtype=np.float16).reshape(len(spans), -1).astype(np.float32)
    return Chunk(
        text=text[start:end],
        start=start,
        end=end,
        headings=headings,
        sentences=spans,
        vector=np.frombuffer(vector, dtype=np.float16).astype(np.float32),
        sentence_vectors=rows,
    )
