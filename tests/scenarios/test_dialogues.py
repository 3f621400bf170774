"""The scripted conversations about the demo shop, through the whole product."""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from psycopg import sql

from concierge.accounts.scope import TenantScope, Unit
from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.demo.load import demo_documents
from concierge.entrypoints.demo.offers import load_catalog
from concierge.entrypoints.evaluation.dialogues import (
    Dialogue,
    Player,
    TurnedClock,
    read_script,
    report_of,
)
from concierge.entrypoints.evaluation.dialogues.report import told
from concierge.entrypoints.wiring import DatabaseAddress, build
from concierge.llm.embeddings import LocalEmbedder
from tests.conftest import SETTINGS
from tests.factories.tenants import make_tenant

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "evals" / "dialogues"
SHOP = FOLDER / "shop.yaml"


@pytest.fixture(scope="module")
async def player(database: DatabaseAddress, embedder: LocalEmbedder) -> AsyncIterator[Player]:
    clock = TurnedClock()
    platform = build(SETTINGS, database, embedder=embedder, clock=clock)
    transport = httpx.ASGITransport(create_app(platform), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        tenant = await make_tenant(platform, client)
        await tenant.read(demo_documents())
        async with platform.db.transaction(tenant.org_id) as session:
            await load_catalog(Unit(session, tenant.scope), platform.catalog)
        yield Player(platform, TenantScope(tenant.org_id), tenant.agent_id, clock)
    await platform.close()


async def test_the_conversations_about_the_shop_meet_their_policy(player: Player) -> None:
    script = read_script(SHOP)

    report = report_of(await player.play_all(script), script.policy)

    assert report.dialogues == len(script.dialogues) >= 30
    assert report.passes, f"{report.reasons}\n{told(report)}"


async def test_who_comes_back_begins_a_new_conversation_and_is_known(player: Player) -> None:
    dialogue = Dialogue.model_validate(
        {
            "name": "back",
            "turns": [
                {"says": "I am looking for a dining table for eight people"},
                {"says": "Hello", "days_later": 4, "contains_any": ["back", "again"], "opening": "some"},
            ],
        }
    )

    first, second = await player.play(dialogue)

    assert first.answer != second.answer
    assert second.failures == ()


async def test_nothing_is_left_of_who_was_played(player: Player, database: DatabaseAddress) -> None:
    dialogue = Dialogue.model_validate({"name": "one", "turns": [{"says": "What does the Palma cost?"}]})

    await player.play(dialogue)

    url = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    tables = ("conversations", "turns", "traces", "customers", "visitors", "customer_facts", "strategy_uses")
    with psycopg.connect(url) as connection:
        left = {table: _rows(connection, table, player.scope.org_id) for table in tables}
    assert left == dict.fromkeys(tables, 0)


def _rows(connection: psycopg.Connection[Any], table: str, org_id: UUID) -> int:
    count = sql.SQL("SELECT count(*) FROM {} WHERE org_id = %s").format(sql.Identifier(table))
    (row,) = connection.execute(count, [org_id]).fetchall()
    return row[0]


def test_half_of_every_script_is_held_out() -> None:
    for path in sorted(FOLDER.glob("*.yaml")):
        halves = Counter(dialogue.held_out for dialogue in read_script(path).dialogues)

        assert min(halves.values()) >= 0.4 * sum(halves.values()), path.name
