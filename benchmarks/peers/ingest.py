"""LangChain's RecursiveCharacterTextSplitter and Chroma over an archive of Markdown, with local MiniLM weights.

Runs in the peers' own environment: `ingest.py ARCHIVE MODEL_FOLDER`. Prints one line of JSON.
"""

import json
import sys
import tarfile
import tempfile
import time

from langchain_chroma import Chroma
from langchain_core.embeddings import Embeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter
from sentence_transformers import SentenceTransformer

CHUNK_SIZE, OVERLAP = 1000, 200
CHUNKS_PER_CALL = 1000


class LocalEmbeddings(Embeddings):
    def __init__(self, folder: str) -> None:
        self.model = SentenceTransformer(folder, device="cpu")

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self.model.encode(texts, batch_size=32, normalize_embeddings=True).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def pages_of(archive: str) -> list[str]:
    with tarfile.open(archive) as files:
        contents = (files.extractfile(member) for member in files if member.name.endswith((".md", ".mdx")))
        return [content.read().decode(errors="replace") for content in contents if content]


def main(archive: str, model_folder: str) -> None:
    embeddings = LocalEmbeddings(model_folder)
    with tempfile.TemporaryDirectory() as folder:
        store = Chroma("bench", embeddings, persist_directory=folder)
        began = time.perf_counter()
        pages = pages_of(archive)
        splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_SIZE, chunk_overlap=OVERLAP)
        chunks = splitter.create_documents(pages)
        for first in range(0, len(chunks), CHUNKS_PER_CALL):
            store.add_documents(chunks[first : first + CHUNKS_PER_CALL])
        seconds = time.perf_counter() - began
    print(json.dumps({"pages": len(pages), "chunks": len(chunks), "seconds": seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
