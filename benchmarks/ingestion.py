"""Reading a whole documentation site, beside LangChain and Chroma with the same model weights in the same run."""

import asyncio
import io
import json
import os
import random
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from benchmarks.corpus import made_up_corpus
from benchmarks.figures import Figure, Target
from benchmarks.memory import Watch, postmaster, quarters
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
SITES = ("docs_railway", "docs_plausible", "awsdocs_qa")
MADE_UP_PAGES = 120
SAMPLE_PAGES = 300  # For the peer, which is slower.
RATE_TARGET = Target(3, "at least")
PEAK_TARGET = Target(700)
FLAT_TARGET = Target(1.15)
# The peers look for updates of the model and report their use, over the network; neither belongs in a measurement.
QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ANONYMIZED_TELEMETRY": "False"}
DURATION = """
SELECT p.document_count, p.chunk_count, extract(epoch FROM s.finished_at - s.started_at)::float
FROM sources s JOIN knowledge_packs p ON p.org_id = s.org_id AND p.id = s.pack_id WHERE s.finished_at IS NOT NULL
"""


Pages = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Reading:
    """What one system did. `megabytes` is the memory of all its processes together, over time."""

    pages: int
    characters: int
    chunks: int
    seconds: float
    megabytes: Sequence[float]


async def measure(cache: Path, pages: Pages, *, with_peers: bool) -> tuple[list[Figure], list[str]]:
    """Return the figures, and a note when the peers could not be measured."""
    ours = await _ours(cache, pages)
    figures = [*_figures("Concierge", ours, PEAK_TARGET), *_over_time(ours)]
    if not with_peers:
        return figures, []
    if not PEERS_PYTHON.exists():
        return figures, [
            f"LangChain + Chroma were not measured: `{MAKE_PEERS}` installs them beside the product."
        ]
    theirs = await asyncio.to_thread(_theirs, cache, sample(pages))
    figures += _figures("LangChain + Chroma", theirs)
    ratio = (ours.pages / ours.seconds) / (theirs.pages / theirs.seconds)
    by_text = (ours.characters / ours.seconds) / (theirs.characters / theirs.seconds)
    figures.append(
        Figure("Concierge reads pages", ratio, "times as fast", RATE_TARGET, f"text {by_text:.2f} times")
    )
    return figures, []


def all_pages(data: Path | None) -> Pages:
    """Every page of the documentation sites by its name; made-up ones where there are none."""
    if data is None:
        texts = made_up_corpus(MADE_UP_PAGES * 8).texts
        return {f"page-{page}.md": _made_up(page, texts).encode() for page in range(MADE_UP_PAGES)}
    pages: dict[str, bytes] = {}
    for site in SITES:
        with tarfile.open(data / site / "docs_md.tar.gz") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is not None and member.name.endswith((".md", ".mdx")):
                    pages[f"{site}/{member.name}"] = content.read()
    return pages


def sample(pages: Pages) -> Pages:
    """As many of every kind as there are among all."""
    if len(pages) <= SAMPLE_PAGES:
        return pages
    return {name: pages[name] for name in sorted(random.Random(1).sample(sorted(pages), SAMPLE_PAGES))}


def documentation(data: Path | None, cache: Path) -> Path:
    """An archive of Markdown pages: a real documentation site where there is one, else made up."""
    if data is not None and (real := data / "docs_railway" / "docs_md.tar.gz").exists():
        return real
    path = cache / "made-up.tar.gz"
    if not path.exists():
        _write_archive(path, all_pages(None))
    return path


def _write_archive(path: Path, pages: Pages) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in pages.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def _write_folder(folder: Path, pages: Pages) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    for name, data in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _made_up(page: int, texts: Sequence[str]) -> str:
    paragraphs = [f"{_with_stops(text)}." for text in texts[page * 8 : page * 8 + 8]]
    return "\n\n".join([f"# Page {page}", *paragraphs])


def _with_stops(text: str) -> str:
    return re.sub(r"((?:\S+ ){11}\S+) ", r"\1. ", text)


async def _ours(cache: Path, pages: Pages) -> Reading:
    """Run `concierge ingest` on a folder of the pages, with its progress on this terminal."""
    data_dir, folder = cache / "ingestion", cache / "pages"
    _write_folder(folder, pages)
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
            command("ingest", str(folder), "--agent", "bench"), env=environment(data_dir)
        )
        watch = Watch(process.pid, partial(postmaster, data_dir))
        if await _ended(process) != 0:
            raise RuntimeError("`concierge ingest` failed")
        owner_url = platform.address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
        with psycopg.connect(owner_url) as owner:
            count, chunks, seconds = owner.execute(DURATION).fetchall()[0]
    return Reading(count, _characters(pages), chunks, seconds, watch.megabytes())


async def _ended(process: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(process.wait)


def _theirs(cache: Path, pages: Pages) -> Reading:
    archive = cache / "sample.tar.gz"
    _write_archive(archive, pages)
    process = subprocess.Popen(
        [PEERS_PYTHON, ROOT / "benchmarks" / "peers" / "ingest.py", archive, published_folder()],
        env={**os.environ, **QUIET},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    watch = Watch(process.pid)
    output, _ = process.communicate()
    if process.returncode != 0:
        raise RuntimeError("the peers could not be measured: run benchmarks/peers/ingest.py by hand")
    reply = json.loads(output.decode().strip().splitlines()[-1])
    return Reading(reply["pages"], _characters(pages), reply["chunks"], reply["seconds"], watch.megabytes())


def _characters(pages: Pages) -> int:
    return sum(len(data.decode(errors="replace")) for data in pages.values())


def _figures(name: str, reading: Reading, peak: Target | None = None) -> list[Figure]:
    detail = f"{reading.pages:,} pages, {reading.chunks:,} chunks in {reading.seconds:.1f} s"
    return [
        Figure(f"{name}: reading", reading.pages / reading.seconds, "pages/s", detail=detail),
        Figure(f"{name}: reading", reading.chunks / reading.seconds, "chunks/s"),
        Figure(
            f"{name}: peak memory while reading", max(reading.megabytes), "MB", peak, "all its processes, PSS"
        ),
    ]


def _over_time(reading: Reading) -> list[Figure]:
    """Memory is flat when the last quarter needs no more than the second; in the first, the model is loaded."""
    values = quarters(reading.megabytes)
    detail = "quarters: " + " · ".join(f"{value:,.0f}" for value in values) + " MB"
    return [
        Figure(
            "  of its last quarter to its second",
            values[-1] / values[len(values) // 4],
            "",
            FLAT_TARGET,
            detail,
        )
    ]
