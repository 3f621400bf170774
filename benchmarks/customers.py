"""What a turn costs to know who writes: a hundred thousand customers with a million facts; and to decide how to answer."""

from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any, Final
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector

from benchmarks.figures import Figure, Target, Timings
from benchmarks.product import questions
from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.schemas.policy import StrategyPolicy
from concierge.agents.service import AgentService
from concierge.chat.steps.recall import Recalled, Recollection
from concierge.chat.steps.receive import Received
from concierge.chat.strategy.decide import decide
from concierge.chat.strategy.moment import Moment
from concierge.conversations.schemas import StartedTurn, TurnRequest
from concierge.customers.service import ArrivalService
from concierge.entrypoints.demo.offers import load_catalog
from concierge.entrypoints.wiring import Platform, running_platform
from concierge.intelligence.analyst import Message
from concierge.intelligence.schemas import ConversationAnalysis
from concierge.kit.clock import utc_now
from concierge.kit.ids import new_id
from concierge.kit.settings import Settings
from concierge.llm.embedders import QuestionVectors

RECALL_TARGET: Final = Target(12)
DECIDE_TARGET: Final = Target(0.2)
FACTS_EACH: Final = 10
TOPICS: Final = 500
DECISIONS: Final = 2_000
# Customer number n bears the id md5("customer n"), so that any of them can be asked for.
CUSTOMERS: Final = """
INSERT INTO customers (org_id, id, profile_type, visits, turns)
SELECT %(org_id)s, md5('customer ' || n)::uuid, 'anonymous', 1 + n %% 7, 1 + n %% 30 FROM generate_series(1, %(count)s) n
"""
VISITORS: Final = """
INSERT INTO visitors (org_id, id, customer_id)
SELECT %(org_id)s, md5('customer ' || n)::uuid, md5('customer ' || n)::uuid FROM generate_series(1, %(count)s) n
"""
FACTS: Final = """
INSERT INTO customer_facts (org_id, id, customer_id, kind, subject, slot, value, confidence, valid_from, confirmed_at,
                            embedding)
SELECT %(org_id)s, md5('fact ' || n || ' ' || f)::uuid, md5('customer ' || n)::uuid, 'preference', 'topic ' || f,
       'slot ' || f, 'wants topic ' || (n * 31 + f) %% %(topics)s, 0.8, now() - n %% 90 * interval '1 day', now(), t.embedding
FROM generate_series(1, %(count)s) n, generate_series(1, %(each)s) f
JOIN bench_topics t ON true WHERE t.number = (n * 31 + f) %% %(topics)s
"""


async def measure(folder: Path, customers: int, turns: int) -> list[Figure]:
    """Build the database once in `folder`; then recall for `turns` customers drawn by chance."""
    async with running_platform(Settings(data_dir=folder)) as platform:
        scope, agent_id = await _shop(platform, folder, customers)
        recalled, durations = await _recalled(platform, scope, agent_id, customers, turns)
        analysis = await _read(platform, scope)
    timings = Timings(tuple(durations))
    return [
        Figure(
            f"Context, memory and products of one of {customers:,} customers: p50",
            timings.p50,
            "ms",
            RECALL_TARGET,
            f"{customers * FACTS_EACH:,} facts · p95 {timings.p95:.1f} ms · embedding excluded",
        ),
        Figure("Deciding a strategy", _deciding(recalled, analysis), "ms", DECIDE_TARGET),
    ]


async def _shop(platform: Platform, folder: Path, customers: int) -> tuple[TenantScope, UUID]:
    """The organization whose customers they are, made and filled once."""
    kept = folder / f"customers-{customers}.txt"
    if kept.exists():
        org_id, agent_id = kept.read_text("utf-8").split()
        return TenantScope(UUID(org_id)), UUID(agent_id)
    pair = await platform.accounts.sign_in.sign_up(
        organization="Shop", name="Owner", email=f"{new_id()}@shop.example", password=new_id().hex
    )
    scope = TenantScope(pair.org_id)
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        agent, _ = await AgentService(unit).create(AgentIn(name="Ada"))
        await load_catalog(unit, platform.catalog)
    _fill(platform.address.owner_url, scope.org_id, customers)
    kept.write_text(f"{scope.org_id} {agent.id}", "utf-8")
    return scope, agent.id


def _fill(owner_url: str, org_id: UUID, customers: int) -> None:
    numbers = np.random.default_rng(7)
    values: dict[str, Any] = {"org_id": org_id, "count": customers, "topics": TOPICS, "each": FACTS_EACH}
    with psycopg.connect(owner_url.replace("postgresql+psycopg://", "postgresql://", 1)) as owner:
        register_vector(owner)
        owner.execute(
            "CREATE TEMPORARY TABLE bench_topics (number integer PRIMARY KEY, embedding halfvec(384))"
        )
        for number in range(TOPICS):
            vector = numbers.normal(size=384)
            vector /= np.linalg.norm(vector)
            owner.execute("INSERT INTO bench_topics VALUES (%s, %s)", [number, HalfVector(vector.tolist())])
        for statement in (CUSTOMERS, VISITORS, FACTS):
            owner.execute(statement, values)
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE customers, visitors, customer_facts")


async def _recalled(
    platform: Platform, scope: TenantScope, agent_id: UUID, customers: int, turns: int
) -> tuple[Recalled, list[float]]:
    vectors = QuestionVectors(platform.embedders)
    recollection = Recollection(
        platform.db, platform.sessions, platform.memory_requests, platform.catalog.contexts, vectors, utc_now
    )
    chance, asked = Random(7), questions()  # Which customers are measured is no secret.
    durations: list[float] = []
    recalled = Recalled()
    for place in range(turns + len(asked)):
        visitor_id = await _visitor(platform, chance.randint(1, customers))
        received = await _received(platform, scope, agent_id, visitor_id, asked[place % len(asked)])
        began = perf_counter()
        recalled = await recollection.recall(received)
        durations.append((perf_counter() - began) * 1000)
        assert not recalled.missing, recalled.missing
    # The first round embeds every question.
    return recalled, durations[len(asked) :]


async def _visitor(platform: Platform, number: int) -> UUID:
    with psycopg.connect(
        platform.address.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    ) as owner:
        found = owner.execute("SELECT md5(%s)::uuid", [f"customer {number}"]).fetchone()
    assert found is not None
    return found[0]


async def _received(
    platform: Platform, scope: TenantScope, agent_id: UUID, visitor_id: UUID, message: str
) -> Received:
    context = {"current_page": "https://shop.example/pricing", "device": "mobile"}
    async with platform.db.transaction(scope.org_id) as session:
        unit = Unit(session, scope)
        agent = await AgentService(unit).configuration(agent_id)
        known = await ArrivalService(unit).arrive(visitor_id, agent_id, None)
    request = TurnRequest(agent_id, message, visitor_id=visitor_id, session_context=context)
    turn = StartedTurn(new_id(), new_id(), 1, (), is_new=True)
    return Received(scope, agent, request, turn, known)


async def _read(platform: Platform, scope: TenantScope) -> ConversationAnalysis:
    understood = await platform.analyst.read(scope, Message("How much is the Palma sofa?"))
    return understood.analysis


def _deciding(recalled: Recalled, analysis: ConversationAnalysis) -> float:
    """Milliseconds of one decision."""
    policy, moment = StrategyPolicy(), Moment(asks_price=True)
    began = perf_counter()
    for _ in range(DECISIONS):
        decide(analysis, recalled.customer, recalled.product, policy, moment)
    return (perf_counter() - began) * 1000 / DECISIONS
