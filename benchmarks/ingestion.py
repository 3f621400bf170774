"""Reading a whole documentation site, beside LangChain and Chroma with the same model weights in the same run."""

import asyncio
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

from benchmarks.corpus import made_up_corpus
from benchmarks.figures import Figure
from benchmarks.product import command, environment
from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.wiring import running_platform
from concierge.kit.settings import Settings
from concierge.llm.minilm.weights import published_folder

ROOT = Path(__file__).parents[1]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
MAKE_PEERS = "make peers"
MADE_UP_PAGES = 120
SAMPLE_S = 0.2
# The peers look for updates of the model and report their use, over the network; neither belongs in a measurement.
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
DURATION = """
SELECT p.document_count, p.chunk_count, extract(epoch FROM s.finished_at - s.started_at)::float
FROM sources s JOIN knowledge_packs p ON p.org_id = s.org_id AND p.id = s.pack_id WHERE s.finished_at IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """What one system did: `peak_mb` is resident memory of all its processes together."""

    pages: int
    chunks: int
    seconds: float
    peak_mb: float


async def measure(cache: Path, archive: Path, *, with_peers: bool) -> tuple[list[Figure], list[str]]:
    """Return the figures, and a note when the peers could not be measured."""
    ours = await _ours(cache, archive)
    figures = _figures("Concierge", ours)
    if not with_peers:
        return figures, []
    if not PEERS_PYTHON.exists():
        return figures, [
            f"LangChain + Chroma were not measured: `{MAKE_PEERS}` installs them beside the product."
        ]
    theirs = _theirs(archive)
    figures += _figures("LangChain + Chroma", theirs)
    ratio = (ours.chunks / ours.seconds) / (theirs.chunks / theirs.seconds)
    pages = (ours.pages / ours.seconds) / (theirs.pages / theirs.seconds)
    figures.append(
        Figure("Concierge reads pages", pages, "times as fast", detail=f"chunks {ratio:.2f} times")
    )
    return figures, []


def documentation(data: Path | None, cache: Path) -> Path:
    """An archive of Markdown pages: a real documentation site where there is one, else made up."""
    if data is not None and (real := data / "docs_railway" / "docs_md.tar.gz").exists():
        return real
    path = cache / "made-up.tar.gz"
    if not path.exists():
        _write_archive(path, made_up_corpus(MADE_UP_PAGES * 8).texts)
    return path


def _write_archive(path: Path, texts: Sequence[str]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for page in range(MADE_UP_PAGES):
            paragraphs = [f"{_with_stops(text)}." for text in texts[page * 8 : page * 8 + 8]]
            data = "\n\n".join([f"# Page {page}", *paragraphs]).encode()
            entry = tarfile.TarInfo(f"page-{page}.md")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def _with_stops(text: str) -> str:
    return re.sub(r"((?:\S+ ){11}\S+) ", r"\1. ", text)


async def _ours(cache: Path, archive: Path) -> Reading:
    """Run `concierge ingest`, with its progress on this terminal."""
    data_dir = cache / "ingestion"
    if data_dir.exists():
        shutil.rmtree(data_dir)
    settings = Settings(data_dir=data_dir)
    async with running_platform(settings) as platform:
        pair = await platform.accounts.sign_in.sign_up(
            organization="Bench",
            name="Bench",
            email="owner@bench.example",
            password="long enough to be allowed",
        )
        async with platform.db.transaction(pair.org_id) as session:
            await AgentService(Unit(session, TenantScope(pair.org_id))).create(
                AgentIn(name="Bench", slug="bench")
            )
        process = subprocess.Popen(
            command("ingest", str(archive), "--agent", "bench"), env=environment(data_dir)
        )
        peak = _Peak(process.pid)
        if await _ended(process) != 0:
            raise RuntimeError("`concierge ingest` failed")
        owner_url = platform.address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(owner_url) as owner:
            pages, chunks, seconds = owner.execute(DURATION).fetchall()[0]
    return Reading(pages, chunks, seconds, peak.megabytes())


async def _ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait)


def _theirs(archive: Path) -> Reading:
    process = subprocess.Popen(
        [PEERS_PYTHON, ROOT / "benchmarks" / "peers" / "ingest.py", archive, published_folder()],
        env={**os.environ, **QUIET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    peak = _Peak(process.pid)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the peers could not be measured: run benchmarks/peers/ingest.py by hand")
    reply = json.loads(output.decode().strip().splitlines()[-1])
    return Reading(reply["pages"], reply["chunks"], reply["seconds"], peak.megabytes())


class _Peak:
    """Watches the memory of a process and its children until it ends."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._highest = 0
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def megabytes(self) -> float:
        self._thread.join()
        return self._highest / 1024**2

    def _watch(self) -> None:
        while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
            self._highest = max(self._highest, self._now())
            time.sleep(SAMPLE_S)

    def _now(self) -> int:
        total = 0
        try:
            for process in (self._process, *self._process.children(recursive=True)):
                total += process.memory_info().rss
        except psutil.NoSuchProcess:
            return 0
        return total


def _figures(name: str, reading: Reading) -> list[Figure]:
    detail = f"{reading.pages} pages, {reading.chunks:,} chunks in {reading.seconds:.1f} s"
    return [
        Figure(f"{name}: reading", reading.chunks / reading.seconds, "chunks/s", detail=detail),
        Figure(f"{name}: reading", reading.pages / reading.seconds, "pages/s"),
        Figure(f"{name}: peak memory while reading", reading.peak_mb, "MB", detail="resident"),
    ]
