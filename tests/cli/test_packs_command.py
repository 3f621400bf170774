"""`concierge packs`: a pack leaves and comes back as one file, and what disagrees in it is shown."""

from pathlib import Path

import httpx
import psycopg

from concierge.kit.postgres import OWNER_ROLE
from tests.cli.test_commands import failed, rows, running, shop, succeeded
from tests.resilience.support import Installation

__all__ = ["running", "shop"]


def test_a_pack_is_exported_imported_and_looked_through(
    running: Installation, shop: Path, tmp_path: Path
) -> None:
    (shop / "sale.md").write_text("# Chairs in the sale\n\nThe Kelapa chair [oak] costs 99 dollars.")
    (shop / "old.md").write_text("# Chairs FAQ\n\nThe Kelapa chair [oak] costs 119 dollars.")
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    file = tmp_path / "chairs [all].zip"

    exported = running.run("packs", "export", str(file), "-a", "ada")
    assert "4 documents" in succeeded(exported)
    failed(running.run("packs", "import", str(file), "-a", "ada"), "already a knowledge pack")
    imported = running.run("packs", "import", str(file), "-a", "ada", "--name", "Copy [2]")
    assert "4 documents" in succeeded(imported)
    assert rows(running, "documents") == 8
    listed = running.run("packs", "list", "-a", "ada")
    succeeded(listed)
    assert "Copy [2]" in listed.out
    pairs = running.run("packs", "contradictions", "-a", "ada", "--pack", "Copy [2]")
    succeeded(pairs)
    assert "129 dollars" in pairs.out
    assert "119 dollars" in pairs.out

    failed(running.run("packs", "export", str(file), "-a", "ada"), "several packs", "Copy [2]")
    failed(running.run("packs", "export", str(file), "-a", "ada", "-p", "none"), "no pack “none”")
    failed(running.run("packs", "export", "/no/such/folder/x.zip", "-a", "ada", "-p", "Copy [2]"), "written")
    failed(running.run("packs", "import", "/no/such/file", "-a", "ada"), "/no/such/file")
    failed(running.run("packs", "import", str(shop / "sale.md"), "-a", "ada"), "not a knowledge pack")
    failed(running.run("packs", "list", "-a", "nobody"), "no agent “nobody”")
    assert rows(running, "knowledge_packs") == 2


def test_a_pack_is_indexed_anew_by_name_and_all_are_moved_to_the_settings(
    running: Installation, shop: Path
) -> None:
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    old = chunkers(running)

    moved = running.run("packs", "reindex", "Knowledge", "--chunker", "recursive")
    said = succeeded(moved)

    assert "Knowledge is searched in its new index (local:minilm, 384 numbers, recursive)" in said
    assert "2 documents" in said
    assert "Indexing: 2/2 documents" in moved.err
    assert (old, chunkers(running)) == (["late_semantic"], ["recursive"])
    answered = running.run("ask", "What does the Kelapa chair cost?", "-a", "ada")
    succeeded(answered)
    assert "129 dollars" in answered.out
    assert "searched in its new index" in succeeded(running.run("packs", "reindex", "--all"))
    assert chunkers(running) == ["late_semantic"]
    assert "as the settings say" in succeeded(running.run("packs", "reindex", "--all"))

    failed(running.run("packs", "reindex"), "Name a pack, or say --all")
    failed(running.run("packs", "reindex", "Knowledge", "--all"), "Name a pack, or say --all")
    failed(running.run("packs", "reindex", "none"), "no knowledge pack “none”")
    failed(running.run("packs", "reindex", "Knowledge", "--chunker", "by_page"), "chunker")
    failed(running.run("packs", "reindex", "Knowledge", "--dimensions", "512"), "384 numbers")
    failed(running.run("packs", "reindex", "Knowledge", "--embedding-model", "no:model"), "cannot be set up")
    assert chunkers(running) == ["late_semantic"]


def test_a_server_whose_settings_changed_says_which_packs_keep_their_model(
    running: Installation, shop: Path
) -> None:
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    running.environment |= {
        "CONCIERGE_EMBEDDING_MODEL": "openai:text-embedding-3-small",
        "OPENAI_API_KEY": "key",
        "OPENAI_BASE_URL": "http://127.0.0.1:9/v1",
    }

    server = running.serve()

    assert "packs keep answering by another model" in server.err + server.out
    headers = running.secret
    answer = httpx.post(
        f"{running.origin}/api/v1/chat/{running.credentials.agent_id}",
        headers=headers,
        json={"message": "What does the Kelapa chair cost?"},
        timeout=60,
    )
    assert "129 dollars" in answer.json()["response"]


def chunkers(installation: Installation) -> list[str]:
    """The chunkers of the packs' current indexes."""
    with psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE)) as connection:
        found = connection.execute("SELECT chunker FROM pack_indexes WHERE state = 'current'").fetchall()
    return [row[0] for row in found]
