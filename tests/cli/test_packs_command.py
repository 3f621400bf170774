"""`concierge packs`: a pack leaves and comes back as one file, and what disagrees in it is shown."""

from pathlib import Path

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
