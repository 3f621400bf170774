"""`concierge eval dialogues` talks to an agent of the installation, says what failed, and exits accordingly."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from concierge.accounts.scope import TenantScope, Unit
from concierge.agents.schemas import AgentIn
from concierge.agents.service import AgentService
from concierge.entrypoints.cli.main import app
from concierge.entrypoints.evaluation.tenant import create_organization, remove_organization
from concierge.entrypoints.wiring import DatabaseAddress, running_platform
from concierge.kit.errors import ConciergeError
from concierge.kit.ids import new_id
from concierge.kit.settings import Settings
from concierge.llm.embeddings import LocalEmbedder

SCRIPT = """\
pass: {{turns: {share}}}
dialogues:
  - name: a greeting
    turns:
      - {{says: Hello, questions: 1, opening: some}}
      - {{says: "thanks, bye!", contains: $129}}
"""


@pytest.fixture
def installation(
    database: DatabaseAddress, embedder: LocalEmbedder, shared_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> DatabaseAddress:
    """The command finds this worker's database and the model that `embedder` has converted."""
    assert embedder.name
    # A URL needs a host; the folder of the socket, which it names later, wins.
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", database.owner_url.replace("@/", "@localhost/"))
    monkeypatch.setenv("CONCIERGE_DATA_DIR", str(shared_folder))
    return database


@pytest.fixture
def agent(installation: DatabaseAddress) -> Iterator[str]:
    """An agent that knows nothing yet."""
    org_id = new_id()

    async def made() -> UUID:
        async with running_platform(Settings()) as platform:
            await create_organization(installation.owner_url, org_id, f"talking-{org_id.hex}")
            async with platform.db.transaction(org_id) as session:
                created, _ = await AgentService(Unit(session, TenantScope(org_id))).create(
                    AgentIn(name="Coco")
                )
        return created.id

    yield str(asyncio.run(made()))
    asyncio.run(remove_organization(installation.owner_url, org_id))


def run(script: Path, options: Sequence[str], *, share: float = 0.5) -> Result:
    script.write_text(SCRIPT.format(share=share), encoding="utf-8")
    return CliRunner().invoke(app, ["eval", "dialogues", str(script), *options], env={"COLUMNS": "200"})


def test_turns_that_fail_are_shown_with_what_was_expected(tmp_path: Path, agent: str) -> None:
    result = run(tmp_path / "s.yaml", ["--agent", agent])

    assert result.exit_code == 0, result.output
    assert "a greeting" in result.stdout
    assert "the reply lacks “$129”" in result.stdout
    assert "1 dialogues · 2 turns" in result.stdout
    assert "50.0% of the turns pass" in result.stderr


def test_a_policy_that_is_not_met_is_an_exit_code(tmp_path: Path, agent: str) -> None:
    result = run(tmp_path / "s.yaml", ["--agent", agent], share=0.9)

    assert result.exit_code == 1
    assert "50.0% of the turns pass, and 90.0% are wanted" in result.stderr


def test_every_turn_may_be_kept_as_json(tmp_path: Path, agent: str) -> None:
    file = tmp_path / "turns.json"

    run(tmp_path / "s.yaml", ["--agent", agent, "--json", str(file)])

    told = json.loads(file.read_text("utf-8"))
    assert (told["dialogues"], told["turns"], told["failed"]) == (1, 2, 1)
    assert [turn["asked"] for turn in told["played"]] == ["Hello", "thanks, bye!"]


@pytest.mark.parametrize("options", [[], ["--agent", "coco", "--demo"]])
def test_it_has_to_be_said_whom_to_talk_to(tmp_path: Path, options: list[str]) -> None:
    error = run(tmp_path / "s.yaml", options).exception

    assert isinstance(error, ConciergeError)
    assert "--agent NAME, or --demo" in error.detail
