"""Rankings by LangChain's EnsembleRetriever and LlamaIndex's QueryFusionRetriever, and by each one's halves alone.

Runs in the peers' own environment: `python -m evals.peers.retrieval JOB.json OUT.json CACHE_FOLDER`. A job holds
documents (id, title, text), questions, and how to cut the documents. What comes out holds, for each system and each of
its settings, the ids of the best documents of every question; the evaluation scores them and keeps the best setting.
"""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import Stemmer
from chromadb import EphemeralClient
from chromadb.config import Settings as ChromaSettings
from langchain_chroma import Chroma
from langchain_classic.retrievers import EnsembleRetriever
from langchain_community.retrievers import BM25Retriever
from langchain_core.documents import Document
from langchain_core.runnables import RunnableLambda
from langchain_text_splitters import RecursiveCharacterTextSplitter
from llama_index.core import VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.llms import MockLLM
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.embeddings.langchain import LangchainEmbedding
from llama_index.retrievers.bm25 import BM25Retriever as FastBM25Retriever
from tokenizers import Tokenizer

from concierge.llm.minilm.weights import published_folder
from evals.peers.weights import Weights, say

CANDIDATES = 50  # From each half of a hybrid.
KEPT = 20
CHROMA_PORTION = 5_000
# Of BM25 and of vectors. LangChain's documentation gives both the same; the others are there to be tried.
SHARES = ((0.5, 0.5), (0.3, 0.7), (0.7, 0.3))
MODES = ("reciprocal_rerank", "relative_score", "dist_based_score")
PACKAGES = (
    "langchain-classic",
    "langchain-community",
    "langchain-chroma",
    "langchain-text-splitters",
    "chromadb",
    "rank-bm25",
    "llama-index-core",
    "llama-index-retrievers-bm25",
    "bm25s",
)

Ranking = list[str]
Rankings = dict[str, dict[str, list[Ranking]]]
Piece = tuple[str, str]  # The id of its document, and its text.

_stem = Stemmer.Stemmer("english").stemWords


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def stems(text: str) -> list[str]:
    return _stem(words(text))


# LangChain's own splits at spaces; what to give instead is left to its user.
WORDS: dict[str, Callable[[str], list[str]]] = {
    "split at spaces": str.split,
    "lower-case words": words,
    "stems": stems,
}


def pieces_of(documents: Sequence[dict[str, str]], cut: str) -> list[Piece]:
    """Cut as its name says: whole, whole with title, recursive SIZE/OVERLAP (characters), sentences SIZE/OVERLAP (tokens)."""
    if cut == "whole":
        return [(document["id"], document["text"]) for document in documents]
    if cut == "whole with title":
        return [(document["id"], f"{document['title']}\n\n{document['text']}") for document in documents]
    kind, sizes = cut.split(" ")
    size, overlap = map(int, sizes.split("/"))
    if kind == "recursive":
        split = RecursiveCharacterTextSplitter(chunk_size=size, chunk_overlap=overlap).split_text
    else:
        tokenizer = Tokenizer.from_file(str(published_folder() / "tokenizer.json"))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        split = SentenceSplitter(
            chunk_size=size,
            chunk_overlap=overlap,
            tokenizer=lambda text: tokenizer.encode(text, add_special_tokens=False).ids,
        ).split_text
    return [(document["id"], text) for document in documents for text in split(document["text"])]


def distinct(ids: Iterator[str]) -> Ranking:
    return list(dict.fromkeys(ids))[:KEPT]


class Remembered(BaseRetriever):
    """Gives a retriever's answers again, so that every way of fusing them sees the same."""

    def __init__(self, answers: dict[str, list[tuple[TextNode, float]]]) -> None:
        super().__init__()
        self._answers = answers

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        # Fresh objects: fusing changes their scores.
        return [
            NodeWithScore(node=node, score=score) for node, score in self._answers[query_bundle.query_str]
        ]


def langchain(
    pieces: Sequence[Piece], cut: str, questions: Sequence[str], weights: Weights, into: Rankings
) -> None:
    documents = [
        Document(page_content=text, metadata={"id": own, "piece": number})
        for number, (own, text) in enumerate(pieces)
    ]
    near = by_chroma(documents, questions, weights)
    _keep(into, "LangChain vectors (Chroma)", cut, questions, near)
    for name, preprocess in WORDS.items():
        retriever = BM25Retriever.from_documents(documents, preprocess_func=preprocess, k=CANDIDATES)
        lexical = {question: retriever.invoke(question) for question in questions}
        _keep(into, "LangChain BM25 (rank_bm25)", f"{cut}, {name}", questions, lexical)
        for shares in SHARES:
            ensemble = EnsembleRetriever(
                retrievers=[RunnableLambda(lexical.__getitem__), RunnableLambda(near.__getitem__)],
                weights=list(shares),
                id_key="piece",
            )
            found = {question: ensemble.invoke(question) for question in questions}
            _keep(
                into,
                "LangChain EnsembleRetriever",
                f"{cut}, {name}, weights {shares[0]}/{shares[1]}",
                questions,
                found,
            )


def by_chroma(
    documents: Sequence[Document], questions: Sequence[str], weights: Weights
) -> dict[str, list[Document]]:
    client = EphemeralClient(ChromaSettings(anonymized_telemetry=False))
    client.delete_collection("peers") if any(
        own.name == "peers" for own in client.list_collections()
    ) else None
    store = Chroma(
        "peers",
        weights,
        client=client,
        collection_configuration={"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 300}},
    )
    vectors = weights.matrix([document.page_content for document in documents])
    for first in range(0, len(documents), CHROMA_PORTION):
        portion = documents[first : first + CHROMA_PORTION]
        store._collection.add(  # noqa: SLF001  # What add_documents calls, with the vectors that are there already.
            ids=[str(document.metadata["piece"]) for document in portion],
            embeddings=vectors[first : first + CHROMA_PORTION],
            documents=[document.page_content for document in portion],
            metadatas=[document.metadata for document in portion],
        )
    retriever = store.as_retriever(search_kwargs={"k": min(CANDIDATES, len(documents))})
    return {question: retriever.invoke(question) for question in questions}


def _keep(
    into: Rankings, system: str, setting: str, questions: Sequence[str], found: dict[str, list[Document]]
) -> None:
    into.setdefault(system, {})[setting] = [
        distinct(document.metadata["id"] for document in found[question]) for question in questions
    ]


def llamaindex(
    pieces: Sequence[Piece], cut: str, questions: Sequence[str], weights: Weights, into: Rankings
) -> None:
    vectors = weights.matrix([text for _, text in pieces]).tolist()
    nodes = [
        TextNode(text=text, embedding=vector, id_=f"{own} {number}", metadata={"id": own})
        for number, ((own, text), vector) in enumerate(zip(pieces, vectors, strict=True))
    ]
    for node in nodes:  # The id is ours, not the document's text.
        node.excluded_embed_metadata_keys = node.excluded_llm_metadata_keys = ["id"]
    embedding = LangchainEmbedding(weights, model_name="all-MiniLM-L6-v2")
    index = VectorStoreIndex(nodes, embed_model=embedding)
    halves: dict[str, BaseRetriever] = {
        "LlamaIndex BM25 (bm25s)": FastBM25Retriever.from_defaults(nodes=nodes, similarity_top_k=CANDIDATES),
        "LlamaIndex vectors": index.as_retriever(similarity_top_k=CANDIDATES),
    }
    remembered: list[Remembered] = []
    for name, retriever in halves.items():
        found = {question: retriever.retrieve(question) for question in questions}
        into.setdefault(name, {})[cut] = [_ids(found[question]) for question in questions]
        remembered.append(
            Remembered(
                {key: [(entry.node, entry.score or 0.0) for entry in own] for key, own in found.items()}
            )
        )
    for mode in MODES:
        fusion = QueryFusionRetriever(
            remembered[::-1],
            llm=MockLLM(),
            mode=mode,
            similarity_top_k=2 * CANDIDATES,
            num_queries=1,  # More would ask a language model for other wordings.
            use_async=False,
        )
        into.setdefault("LlamaIndex hybrid", {})[f"{cut}, {mode}"] = [
            _ids(fusion.retrieve(question)) for question in questions
        ]


def _ids(found: Sequence[NodeWithScore]) -> Ranking:
    return distinct(entry.node.metadata["id"] for entry in found)


def main(job_path: str, out_path: str, folder: str) -> None:
    job: dict[str, Any] = json.loads(Path(job_path).read_text(encoding="utf-8"))
    weights = Weights(Path(folder))
    questions = list(dict.fromkeys(job["questions"]))
    rankings: Rankings = {}
    for run, cuts in ((langchain, job["langchain"]), (llamaindex, job["llamaindex"])):
        for cut in cuts:
            pieces = pieces_of(job["documents"], cut)
            say(f"{run.__name__}, {cut}: {len(pieces):,} pieces, {len(questions):,} questions")
            run(pieces, cut, questions, weights, rankings)
    places = [questions.index(question) for question in job["questions"]]
    by_question = {
        system: {setting: [own[place] for place in places] for setting, own in settings.items()}
        for system, settings in rankings.items()
    }
    versions = {name: version(name) for name in PACKAGES}
    Path(out_path).write_text(json.dumps({"versions": versions, "rankings": by_question}), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
