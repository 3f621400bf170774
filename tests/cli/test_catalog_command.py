"""`catalog import`, as a shopkeeper runs it."""

from pathlib import Path

from tests.cli.test_commands import failed, running, succeeded
from tests.resilience.support import Installation

__all__ = ["running"]

TABLE = "Number;Name;Price\nS-1;Palma sofa;999 €\nS-2;Kelapa chair;129 €\nS-3;Lamp;on request\n"


def test_a_file_is_looked_at_then_imported_and_the_second_time_nothing_changes(
    running: Installation, tmp_path: Path
) -> None:
    file = tmp_path / "goods.csv"
    file.write_text(TABLE, encoding="utf-8")
    succeeded(
        running.run(
            "create-owner",
            *("--organization", "Palm Shop", "--email", "olive@palm.example"),
            *("--password", "correct horse battery"),
        )
    )
    command = ("catalog", "import", str(file), "--org", "Palm Shop")

    dry, done, again = (
        running.run(*command, "--dry-run").out,
        running.run(*command).out,
        running.run(*command).out,
    )

    assert "2 would be new" in dry
    assert "The Palma sofa costs €999." in dry
    assert "2 new, 0 changed, 0 unchanged" in done
    assert "Row 4: Its price “on request” is no amount of money." in done
    assert "0 new, 0 changed, 2 unchanged" in again
    failed(running.run(*command[:-1], "Nobody"), "no organization")
    failed(running.run(*command, "--map", "Name=nmae"), "is no field")
    failed(running.run("catalog", "import", str(tmp_path / "none.csv"), "--org", "Palm Shop"), "no file")
