"""Importing products, and finding them with every turn: a small and a large catalogue, each an organization's own."""

import io
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from benchmarks.figures import Figure, Target, Timings
from concierge.accounts.scope import TenantScope
from concierge.catalog.service import CatalogImports, Import, ProductContexts
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.migrations import migrate
from concierge.kit.postgres import EmbeddedPostgres
from concierge.llm.embedders import Embedders, QuestionVectors
from concierge.llm.embeddings import LocalEmbedder
from concierge.llm.minilm import MiniLM

COLOURS = ["Sand", "Charcoal", "Black", "White", "Blue", "Green", "Terracotta", "Grey", "Red", "Natural"]
MATERIALS = ["oak", "ash", "walnut", "steel", "linen", "cotton", "leather", "bamboo", "glass", "rattan"]
KINDS = [
    "Sofa",
    "Chair",
    "Table",
    "Lamp",
    "Bed",
    "Shelf",
    "Desk",
    "Rug",
    "Mirror",
    "Stool",
    "Bench",
    "Cabinet",
    "Vase",
    "Pillow",
    "Blanket",
    "Clock",
]
NAMES = [
    "Palma",
    "Kelapa",
    "Lagoon",
    "Dune",
    "Monsoon",
    "Frond",
    "Reef",
    "Atoll",
    "Husk",
    "Coir",
    "Copra",
    "Pandan",
    "Sandbar",
    "Breaker",
    "Tide",
    "Shore",
]
WORDS = [
    "soft",
    "low",
    "round",
    "tall",
    "slender",
    "heavy",
    "light",
    "robust",
    "foldable",
    "stackable",
    "handmade",
    "modern",
    "classic",
    "quiet",
    "warm",
    "bright",
    "curved",
    "outdoor",
    "indoor",
    "reading",
    "dining",
    "living",
    "sleeping",
    "working",
    "children",
    "guests",
    "balcony",
    "kitchen",
    "hallway",
    "office",
    "garden",
]
REQUESTS = (
    "How much is the {name} {kind}?",
    "{kind}s under 400",
    "Do you have a {colour} {kind}?",
    "a {word} {word2} {kind} made of {material}",
    "cheapest {kind}",
    "What is your return policy?",
    "{name} {kind} {number}",
    "something {word} for the {word2}",
    "{colour} {kind} between 200 and 500 dollars in stock",
    "Hello, how are you?",
)
# A vector costs a tenth of a second of a machine for each dozen products; those of the large catalogue are made of the
# real ones of these many, each a little apart from its own.
REAL_VECTORS = 2_000


def rows(count: int, seed: int = 7) -> str:
    """A table of products that differ as those of a shop do."""
    chance = random.Random(seed)
    lines = ["sku,title,category,price,description,colour,material,availability"]
    for number in range(count):
        kind, name = chance.choice(KINDS), chance.choice(NAMES)
        said = " ".join(chance.choice(WORDS) for _ in range(8))
        lines.append(
            f"N-{number},{name} {kind} {number % 997},{kind}s,{chance.randrange(10, 2_000)}.00,"
            f"A {said} {kind.lower()}. It is {chance.choice(WORDS)} and {chance.choice(WORDS)}.,"
            f"{chance.choice(COLOURS)},{chance.choice(MATERIALS)},"
            f"{chance.choice(('in stock', 'in stock', 'out of stock'))}"
        )
    return "\n".join(lines) + "\n"


def requests(count: int, seed: int = 11) -> list[str]:
    chance = random.Random(seed)
    return [
        REQUESTS[number % len(REQUESTS)].format(
            name=chance.choice(NAMES),
            kind=chance.choice(KINDS).lower(),
            colour=chance.choice(COLOURS).lower(),
            material=chance.choice(MATERIALS),
            word=chance.choice(WORDS),
            word2=chance.choice(WORDS),
            number=chance.randrange(997),
        )
        for number in range(count)
    ]


async def measure(cache: Path, sizes: Sequence[int], questions: int) -> list[Figure]:
    """Import each size, give its products vectors, and ask."""
    embedder = LocalEmbedder(MiniLM.load(cache / "models"))
    vectors = QuestionVectors(Embedders(embedder, lambda _: embedder))
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(dir=cache) as folder:
        Path(folder).chmod(0o755)
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.ensure_running()
        try:
            migrate(postgres.owner_url)
            db = Database(postgres.app_url, pool_size=4)
            for size in sizes:
                figures += await _measured(postgres, db, embedder, vectors, size, questions)
            await db.close()
        finally:
            postgres.stop()
    return figures


async def _measured(
    postgres: EmbeddedPostgres,
    db: Database,
    embedder: LocalEmbedder,
    vectors: QuestionVectors,
    size: int,
    questions: int,
) -> list[Figure]:
    org_id = new_id()
    conninfo = postgres.address.conninfo()
    with psycopg.connect(conninfo, autocommit=True) as owner:
        owner.execute(
            "INSERT INTO organizations (id, name, slug) VALUES (%s, 'Bench', %s)", (org_id, org_id.hex)
        )
    table = rows(size)
    imports = CatalogImports(db)
    speeds: list[float] = []
    for _ in range(2):
        begun = perf_counter()
        report = await imports.run(TenantScope(org_id), Import(io.BytesIO(table.encode())))
        speeds.append(report.products / (perf_counter() - begun))
    await _give_vectors(conninfo, embedder, org_id)
    timings = await _asked(db, vectors, org_id, questions)
    return [
        Figure(
            f"Import of {size:,} products", speeds[0], "rows/s", detail="new; without reading for meaning"
        ),
        Figure(f"Import of {size:,} products again", speeds[1], "rows/s", detail="nothing has changed"),
        Figure(f"Context of a turn, {size:,} products, p50", timings.p50, "ms", Target(6)),
        Figure(f"Context of a turn, {size:,} products, p95", timings.p95, "ms"),
    ]


async def _give_vectors(conninfo: str, embedder: LocalEmbedder, org_id: UUID) -> None:
    with psycopg.connect(conninfo, autocommit=True) as owner:
        register_vector(owner)
        found = owner.execute(
            "SELECT id, text FROM catalog_products WHERE org_id = %s ORDER BY id", (org_id,)
        ).fetchall()
        real = await embedder.embed_documents([text for _, text in found[:REAL_VECTORS]])
        noise = np.random.default_rng(3)
        # The approximate index is made afterwards at once, which takes a fraction of the time.
        (made,) = owner.execute(
            "SELECT pg_get_indexdef('ix_catalog_products_embedding'::regclass)"
        ).fetchall()[0]
        owner.execute("DROP INDEX ix_catalog_products_embedding")
        with owner.cursor() as cursor:
            for start in range(0, len(found), 1_000):
                batch = found[start : start + 1_000]
                near = real[[(start + number) % len(real) for number in range(len(batch))]]
                moved = near + noise.normal(0, 0.02, near.shape)
                moved /= np.linalg.norm(moved, axis=1, keepdims=True)
                cursor.executemany(
                    "UPDATE catalog_products SET embedding = %s WHERE org_id = %s AND id = %s",
                    [(HalfVector(row), org_id, own[0]) for own, row in zip(batch, moved, strict=True)],
                )
        owner.execute("SET maintenance_work_mem = '512MB'")
        owner.execute(str(made).encode())
        owner.execute("VACUUM ANALYZE")


async def _asked(db: Database, vectors: QuestionVectors, org_id: UUID, questions: int) -> Timings:
    """The message's vector is there already, as in a turn, which needs it for other things too."""
    contexts = ProductContexts(db, vectors)
    scope = TenantScope(org_id)
    asked = requests(questions)
    embedded = await vectors.of(vectors.default_space, asked)
    for message, vector in zip(asked[:20], embedded[:20], strict=True):
        await contexts.of(scope, message, vector)
    values: list[float] = []
    for message, vector in zip(asked, embedded, strict=True):
        begun = perf_counter()
        await contexts.of(scope, message, vector)
        values.append((perf_counter() - begun) * 1000)
    return Timings(tuple(values))
