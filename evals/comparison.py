"""What other systems find, measured in the same run: the same texts, the same weights, and our own metrics.

They live in an environment of their own, which `make peers` installs. Their rankings are kept as long as the data,
their code and their versions stay. Each system is tried in several settings and shown at its best one, which is
chosen on the very questions it is measured on: an advantage over ours, whose settings are the same everywhere.
"""

import asyncio
import hashlib
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from concierge.entrypoints.evaluation import EvalDocument, RetrievalQuery
from concierge.knowledge.metrics import hit, mean, ndcg
from concierge.knowledge.parsing.markdown import front_matter
from evals.chunk_cache import code_digest, digest_of

CHECKOUT = Path(__file__).parents[1]
PEERS_PYTHON = CHECKOUT / ".venv-peers" / "bin" / "python"
HOW_TO_GET_THEM = (
    "LangChain, LlamaIndex and chonkie were not measured: `make peers` installs them beside the product."
)
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
NICENESS = 10


@dataclass(frozen=True, slots=True)
class Cuts:
    """Into what pieces each of them cuts the documents; see `evals.peers.retrieval.pieces_of`."""

    langchain: tuple[str, ...]
    llamaindex: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PeerReport:
    """One system at its best setting; `tried` is how many there were."""

    system: str
    setting: str
    tried: int
    queries: int
    ndcg_10: float
    hit_1: float
    hit_5: float


# MiniLM was trained on 256 tokens, about 1,000 characters. LlamaIndex can cut with LangChain's splitter too.
CUTS: Mapping[str, Cuts] = {
    "awsdocs_qa": Cuts(("recursive 1000/200",), ("recursive 1000/200", "sentences 512/50")),
    "mtrag_cloud": Cuts(("whole", "recursive 1000/200"), ("whole", "recursive 1000/200")),
    "squad2_paragraphs": Cuts(("whole", "whole with title"), ("whole", "whole with title")),
}


def peers_are_here() -> bool:
    return PEERS_PYTHON.exists()


async def compare(
    name: str, documents: Sequence[EvalDocument], queries: Sequence[RetrievalQuery], cache: Path
) -> list[PeerReport]:
    """Rank the questions by every peer; empty when they are not installed."""
    if not peers_are_here():
        return []
    cuts = CUTS[name]
    job = {
        "documents": [_plain(document) for document in documents],
        "questions": [query.text for query in queries],
        "langchain": cuts.langchain,
        "llamaindex": cuts.llamaindex,
    }
    done = await asyncio.to_thread(run_peer, "retrieval", name, job, cache)
    rankings = cast("dict[str, dict[str, list[list[str]]]]", done["rankings"])
    return [best_of(system, settings, queries) for system, settings in rankings.items()]


def _plain(document: EvalDocument) -> dict[str, str]:
    """Front matter is for us; the others get the title by itself."""
    fields, text = front_matter(document.data.decode(errors="replace"))
    return {"id": document.id, "title": fields.get("title", ""), "text": text}


def best_of(
    system: str, settings: Mapping[str, Sequence[Sequence[str]]], queries: Sequence[RetrievalQuery]
) -> PeerReport:
    reports = [_report(system, setting, own, queries, len(settings)) for setting, own in settings.items()]
    return max(reports, key=lambda report: report.ndcg_10)


def _report(
    system: str,
    setting: str,
    rankings: Sequence[Sequence[str]],
    queries: Sequence[RetrievalQuery],
    tried: int,
) -> PeerReport:
    judged = [(ranking, query.relevant) for ranking, query in zip(rankings, queries, strict=True)]
    return PeerReport(
        system,
        setting,
        tried,
        len(queries),
        ndcg_10=mean([ndcg(ranking, relevant, 10) for ranking, relevant in judged]),
        hit_1=mean([hit(ranking, relevant, 1) for ranking, relevant in judged]),
        hit_5=mean([hit(ranking, relevant, 5) for ranking, relevant in judged]),
    )


def run_peer(script: str, name: str, job: Mapping[str, Any], cache: Path) -> dict[str, Any]:
    """Let `evals.peers.SCRIPT` do a job in the peers' environment, unless it has done the same before.

    Its progress goes to the terminal. Errors: RuntimeError when it fails.
    """
    folder = cache / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(job, ensure_ascii=True, sort_keys=True)
    done = folder / f"{script}-{name}-{_digest(script, text)}.json"
    if not done.exists():
        asked, partial = done.with_suffix(".job"), done.with_suffix(".partial")
        asked.write_text(text, encoding="utf-8")
        process = subprocess.run(
            [PEERS_PYTHON, "-m", f"evals.peers.{script}", asked, partial, cache],
            cwd=CHECKOUT,
            env={**os.environ, **QUIET, "PYTHONPATH": str(CHECKOUT), "PYTHONWARNINGS": "ignore"},
            preexec_fn=lambda: os.nice(NICENESS),
            check=False,
        )
        asked.unlink()
        if process.returncode != 0:
            raise RuntimeError(
                f"the peers could not be measured on {name}: evals/peers/{script}.py failed (see above)"
            )
        partial.rename(done)
    return cast("dict[str, Any]", json.loads(done.read_text("utf-8")))


def _digest(script: str, job: str) -> str:
    """Everything their rankings depend on."""
    code = [(CHECKOUT / "evals" / "peers" / f"{part}.py").read_text("utf-8") for part in (script, "weights")]
    wanted = (CHECKOUT / "requirements-peers.txt").read_text("utf-8")
    return hashlib.sha256(digest_of([job, *code, wanted, code_digest("llm/minilm")]).encode()).hexdigest()[
        :16
    ]
