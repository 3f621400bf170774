"""`concierge sources`: what an agent learns from, listed and controlled."""

from pathlib import Path

import psycopg

from concierge.kit.postgres import OWNER_ROLE
from tests.cli.test_commands import failed, running, shop, succeeded
from tests.knowledge.parsing.files import encrypted_pdf
from tests.resilience.support import Installation

__all__ = ["running", "shop"]


def test_sources_are_listed_and_controlled(running: Installation, shop: Path) -> None:
    (shop / "locked.pdf").write_bytes(encrypted_pdf())
    assert "no sources yet" in succeeded(running.run("sources", "list", "-a", "ada"))
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))

    listed = running.run("sources", "list", "-a", "ada")
    succeeded(listed)
    assert "shop  succeeded  3/3 documents · 1 failed · 2 chunks" in listed.out
    failed(running.run("sources", "pause", "shop", "-a", "ada"), "nothing to pause")
    failed(running.run("sources", "resume", "shop", "-a", "ada"), "not paused")
    failed(running.run("sources", "cancel", "shop", "-a", "ada"), "nothing to cancel")
    failed(running.run("sources", "sync", str(shop), "-a", "ada"), "add it again")
    failed(running.run("sources", "retry", "chairs", "-a", "ada"), "no source “chairs”")
    said = succeeded(running.run("sources", "retry", "shop", "-a", "ada"))
    assert "locked.pdf: The document is protected with a password" in said
    with psycopg.connect(running.home.address.conninfo(role=OWNER_ROLE)) as connection:
        connection.execute("UPDATE sources SET status = 'queued'")
    assert "Paused" in succeeded(running.run("sources", "pause", "shop", "-a", "ada"))
    failed(running.run("sources", "retry", "shop", "-a", "ada"), "paused")
    assert "2 documents read" in succeeded(running.run("sources", "resume", "shop", "-a", "ada"))
