"""Holds the scripted conversations of `evals/dialogues` with agents that know the demo shop, a cloud host and a bank."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.evaluation import EvalDocument
from concierge.entrypoints.evaluation.dialogues import DialogueReport, Player, Script, read_script, report_of
from evals import corpora
from evals.measure import Check, Measurement
from evals.progress import say
from evals.store import Store

SCRIPTS: Final = Path(__file__).parent / "dialogues"
# Which documents a script speaks of, by the name of its file.
KNOWLEDGE: Final[Mapping[str, Callable[[Path], list[EvalDocument]]]] = {
    "railway": corpora.railway_documents,
    "bank": corpora.bank_documents,
}


async def measure_dialogues(store: Store, data: Path) -> Measurement:
    """Every script, each with an agent of its own; those whose documents are not here are left out."""
    reports: dict[str, DialogueReport] = {}
    for name, documents_of in KNOWLEDGE.items():
        try:
            documents = documents_of(data)
        except FileNotFoundError as error:
            say(f"The dialogues about {name} are left out: {error.filename} is not here.")
            continue
        script = read_script(SCRIPTS / f"{name}.yaml")
        collection = await store.collection(f"dialogues-{name}", documents)
        reports[name] = await held(store, script, collection.scope, collection.pack_id)
    checks = tuple(
        Check(f"turns that pass, {name}", report.share, read_script(SCRIPTS / f"{name}.yaml").policy.turns)
        for name, report in reports.items()
    )
    return Measurement("dialogues", checks, reports, {name: asdict(own) for name, own in reports.items()})


async def held(store: Store, script: Script, scope: TenantScope, pack_id: UUID) -> DialogueReport:
    async with _agent(store, scope, pack_id) as agent_id:
        player = Player(store.platform, scope, agent_id, store.clock)
        return report_of(await player.play_all(script), script.policy)


@asynccontextmanager
async def _agent(store: Store, scope: TenantScope, pack_id: UUID) -> AsyncGenerator[UUID]:
    """An agent that knows one pack, and is gone afterwards."""
    async with store.platform.db.transaction(scope.org_id) as session:
        wanted = AgentIn(name="Concierge", pack_ids=[pack_id])
        agent, _ = await AgentService(Unit(session, scope)).create(wanted)
    try:
        yield agent.id
    finally:
        async with store.platform.db.transaction(scope.org_id) as session:
            await AgentService(Unit(session, scope)).remove(agent.id)
