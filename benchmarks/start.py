"""The second start: from the command to the first answered question, and where the time goes."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, Target
from benchmarks.product import Client, environment, questions, serving

START_TARGET = Target(5)
PARTS = """
import json, sys, time
from pathlib import Path
began = time.perf_counter()
import concierge.entrypoints.cli
imported = time.perf_counter()
from concierge.entrypoints.wiring import embedded_postgres, prepare_database, model_cache
from concierge.kit.logging import configure_logging
from concierge.kit.settings import Settings
from concierge.llm.embeddings import create_embedder
settings = Settings()
configure_logging(settings)
embedded = embedded_postgres(settings)
prepare_database(settings, embedded)
ready = time.perf_counter()
create_embedder(settings.embedding_model, cache_dir=model_cache(settings))
loaded = time.perf_counter()
embedded.stop()
print(json.dumps({"imports": imported - began, "database": ready - imported, "model": loaded - ready}))
"""


async def measure(data_dir: Path, times: int) -> list[Figure]:
    whole: list[float] = []
    for _ in range(times):
        async with serving(data_dir) as product:
            client = await Client.connect(product.port)
            await product.ask(client, product.demo.secret_key, questions()[0])
            whole.append(perf_counter() - product.launched)
            await client.close()
    parts = [await asyncio.to_thread(_parts, data_dir) for _ in range(times)]
    return [
        Figure("Second start to the first answer", median(whole), "s", START_TARGET, f"median of {times}"),
        *(
            Figure(f"  of it {name}", median(part[name] for part in parts), "s")
            for name in ("imports", "database", "model")
        ),
    ]


def _parts(data_dir: Path) -> dict[str, float]:
    output = subprocess.run(
        [sys.executable, "-c", PARTS], env=environment(data_dir), capture_output=True, check=True
    ).stdout
    return json.loads(output.decode().splitlines()[-1])
