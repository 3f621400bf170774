"""Installations to start processes on: copies of one that was made once per run."""

import asyncio
import json
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import httpx
import pytest

from concierge.entrypoints.wiring import build, prepare_database
from concierge.kit.postgres import EmbeddedPostgres, PostgresTuning
from concierge.kit.postgres.locks import exclusive
from concierge.kit.settings import Settings
from concierge.llm.embeddings import LocalEmbedder
from tests.factories.tenants import make_tenant
from tests.resilience.support import Credentials, Installation, free_port

TEMPLATE_PATIENCE_S = 120.0


@pytest.fixture(scope="session")
def template(shared_folder: Path, embedder: LocalEmbedder) -> Path:
    """A data folder with a migrated database and one organization, whose server is stopped."""
    folder = shared_folder / "template"
    with exclusive(shared_folder / "template.lock", patience_s=TEMPLATE_PATIENCE_S):
        if not (folder / "credentials.json").exists():
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
            credentials = asyncio.run(_make(folder, embedder))
            (folder / "models").symlink_to(shared_folder / "models")
            (folder / "credentials.json").write_text(json.dumps(asdict(credentials)))
    return folder


async def _make(folder: Path, embedder: LocalEmbedder) -> Credentials:
    server = EmbeddedPostgres(folder / "postgres", PostgresTuning(fsync=False))
    settings = Settings(data_dir=folder)
    try:
        platform = build(settings, prepare_database(settings, server), embedder=embedder)
        tenant = await make_tenant(platform, httpx.AsyncClient())
        await platform.db.close()
    finally:
        server.stop()
    return Credentials(
        org_id=str(tenant.org_id),
        agent_id=str(tenant.agent_id),
        pack_id=str(tenant.pack_id),
        email=tenant.email,
        secret=tenant.secret["Authorization"].removeprefix("Bearer "),
        publishable=tenant.publishable["Authorization"].removeprefix("Bearer "),
    )


@pytest.fixture
def installation(template: Path, shared_folder: Path) -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="home-", dir=shared_folder))
    folder.chmod(0o755)
    subprocess.run(["cp", "-a", f"{template}/.", str(folder)], check=True)
    credentials = Credentials(**json.loads((folder / "credentials.json").read_text()))
    installation = Installation(folder, credentials, free_port())
    yield installation
    installation.end()
