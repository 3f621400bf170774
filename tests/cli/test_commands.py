"""The command line: what it does, and that whatever goes wrong is one sentence and an exit code, never a traceback."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from concierge.entrypoints.cli.main import app
from concierge.kit.postgres import OWNER_ROLE, EmbeddedPostgres, PostgresTuning
from tests.knowledge.parsing.files import encrypted_pdf, pdf, zipped
from tests.resilience.support import Command, Installation

CHAIRS = "# Chairs\n\nThe Kelapa chair [oak] costs 129 dollars."
TABLES = "# Tables\n\nThe Lagoon table costs 649 dollars."
COMMANDS = [
    ("serve",),
    ("worker",),
    ("demo",),
    ("ingest",),
    ("watch",),
    ("ask",),
    ("search",),
    ("analyze",),
    ("create-owner",),
    ("openapi",),
    ("packs",),
    ("packs", "list"),
    ("packs", "export"),
    ("packs", "import"),
    ("packs", "contradictions"),
    ("packs", "reindex"),
    ("db",),
    ("db", "migrate"),
    ("db", "status"),
    ("db", "backup"),
    ("db", "restore"),
    ("customer",),
    *(("customer", name) for name in ("show", "export", "erase")),
    ("sources",),
    *(("sources", name) for name in ("list", "pause", "resume", "cancel", "sync", "retry")),
    ("learning",),
    ("learning", "show"),
    ("learning", "count"),
    ("eval",),
    ("eval", "retrieval"),
    ("eval", "answers"),
    ("eval", "dialogues"),
    ("catalog",),
    ("catalog", "import"),
    ("billing",),
    ("billing", "show"),
    ("billing", "set-plan"),
]


@pytest.fixture
def running(installation: Installation) -> Iterator[Installation]:
    """An installation whose database runs already, which spares every command its start."""
    with EmbeddedPostgres(installation.data_dir / "postgres", PostgresTuning(fsync=False)):
        yield installation


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "chairs.md").write_text(CHAIRS)
    (folder / "tables.md").write_text(TABLES)
    return folder


def failed(command: Command, *words: str) -> None:
    """Assert that a command ended with a sentence, and with nothing that only a programmer would want."""
    assert command.code() == 1, command.err
    assert "✗" in command.err
    assert "Traceback" not in command.err
    assert command.out == ""
    for word in words:
        assert word.lower() in command.err.lower()


def succeeded(command: Command) -> str:
    assert command.code() == 0, command.err
    return command.err


def rows(installation: Installation, table: str) -> int:
    with psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE)) as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()  # noqa: S608  # A name of this file.
    assert row
    count: int = row[0]
    return count


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])

    assert result.exit_code == 0
    assert "Usage" in result.output
    assert len(result.output.splitlines()) > 5


def test_all_commands_are_tested_for_their_help() -> None:
    assert set(get_command(app).commands) == {names[0] for names in COMMANDS}  # pyright: ignore[reportAttributeAccessIssue, reportUnknownArgumentType]  # Typer's group has them.


def test_openapi_prints_valid_json(installation: Installation) -> None:
    command = installation.run("openapi")

    succeeded(command)
    assert json.loads(command.out)["openapi"].startswith("3.")
    assert "/api/v1/chat/{agent_id}" in json.loads(command.out)["paths"]


def test_an_owner_is_created_once(running: Installation) -> None:
    given = ("create-owner", "--organization", "Palm [Ltd]", "--agent", "palm")
    password = {"CONCIERGE_OWNER_PASSWORD": "correct horse battery"}

    said = succeeded(running.run(*given, "--email", "olive@palm.example", **password))
    assert "Palm [Ltd] is ready" in said
    assert "concierge ingest PATH --agent palm" in said
    failed(running.run(*given, "--email", "olive@palm.example", **password), "already an account")
    failed(running.run(*given, "--email", "not an address", **password), "email")
    failed(running.run(*given, "--email", "other@palm.example", CONCIERGE_OWNER_PASSWORD="short"), "password")
    assert rows(running, "organizations") == 2


def test_what_is_for_an_audience_is_shown_to_that(running: Installation, tmp_path: Path) -> None:
    prices = tmp_path / "prices.md"
    prices.write_text("# Cost\n\nThe Kelapa chair costs us 71 dollars to make.")
    question = ("What does the Kelapa chair cost us?", "--agent", "ada")

    def finds(*command: str) -> bool:
        done = running.run(*command[:1], *question, *command[1:])
        succeeded(done)
        return "71 dollars" in done.out

    succeeded(running.run("ingest", str(prices), "--agent", "ada", "--audience", "staff"))

    assert finds("search")
    assert finds("search", "--audience", "staff")
    assert not finds("search", "--audience", "public")
    assert finds("ask", "--audience", "staff")
    assert not finds("ask")
    failed(running.run("ingest", str(prices), "--agent", "ada", "--audience", "All staff"), "audience")


def test_a_folder_is_read_asked_about_and_read_again(running: Installation, shop: Path) -> None:
    (shop / "locked.pdf").write_bytes(encrypted_pdf())
    (shop / "[logo].png").write_bytes(b"\x89PNG")

    said = succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    assert "2 documents read" in said
    assert "1 passed over, 1 failed" in said
    assert "locked.pdf: The document is protected with a password" in said
    assert "Reading: 4/4 documents" in said
    assert "\x1b[" not in said

    answer = running.run("ask", "How much does the Kelapa chair cost?", "--agent", "ada")
    succeeded(answer)
    assert "129 dollars" in answer.out
    assert "[1] Chairs" in answer.err
    assert "[oak]" in answer.err
    reply = running.run("ask", "How much does the Lagoon table cost?", "--agent", "ada", "--json")
    succeeded(reply)
    assert json.loads(reply.out)["sources"][0]["title"] == "Tables"

    found = running.run("search", "oak chair", "--agent", "ada", "--explain")
    succeeded(found)
    assert "1. Chairs" in found.out
    assert "[oak]" in found.out
    assert found.out.index("Candidates") < found.out.index("kept")
    one = running.run("search", "Lagoon", "--agent", "ada", "--limit", "1", "--json")
    succeeded(one)
    assert [passage["title"] for passage in json.loads(one.out)["passages"]] == ["Tables"]

    (shop / "tables.md").unlink()
    (shop / "chairs.md").write_text(CHAIRS.replace("129", "159"))
    said = succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    assert "1 document read" in said
    assert "1 removed" in said
    assert rows(running, "documents") == 1


def test_a_file_and_an_archive_are_read(running: Installation, tmp_path: Path) -> None:
    (tmp_path / "terms.pdf").write_bytes(pdf())
    (tmp_path / "docs.zip").write_bytes(zipped({"a.md": CHAIRS.encode(), "b.md": TABLES.encode()}))

    assert "1 document read" in succeeded(running.run("ingest", str(tmp_path / "terms.pdf"), "-a", "ada"))
    assert "2 documents read" in succeeded(running.run("ingest", str(tmp_path / "docs.zip"), "-a", "ada"))
    assert rows(running, "documents") == 3


def test_what_cannot_be_read_is_said(running: Installation, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "locked.pdf").write_bytes(encrypted_pdf())

    failed(running.run("ingest", "/no/such/[place]", "-a", "ada"), "no file or folder", "/no/such/[place]")
    failed(running.run("ingest", str(tmp_path / "locked.pdf"), "-a", "ada"), "password")
    failed(running.run("ingest", str(tmp_path / "empty"), "-a", "ada"), "no document")
    failed(running.run("ingest", "http://127.0.0.1/", "-a", "ada"), "private network")
    failed(running.run("ingest", str(tmp_path), "-a", "nobody"), "no agent “nobody”")
    failed(running.run("ask", "Hello?", "-a", "nobody"), "no agent “nobody”")
    failed(running.run("search", "Hello?", "-a", "nobody"), "no agent “nobody”")
    failed(running.run("search", " ", "-a", "ada"))
    failed(running.run("ask", "", "-a", "ada"))
    failed(running.run("ask", "x" * 20_001, "-a", "ada"), "20,000")
    assert rows(running, "documents") == 0


def test_a_name_that_two_organizations_use_asks_for_the_id(running: Installation) -> None:
    succeeded(
        running.run(
            "create-owner",
            *("--organization", "Palm", "--agent", "ada", "--email", "olive@palm.example"),
            CONCIERGE_OWNER_PASSWORD="correct horse battery",
        )
    )

    command = running.run("ask", "Hello?", "--agent", "ada")

    failed(command, "Name it by id", "Palm", running.credentials.agent_id)
    succeeded(running.run("ask", "Hello?", "--agent", running.credentials.agent_id))


def test_ctrl_c_cancels_what_is_being_read(running: Installation, tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / f"n{number}.md").write_text(f"# Note {number}\n\n" + f"It costs {number} dollars. " * 40)
    command = running.start("ingest", str(tmp_path), "--agent", "ada")
    deadline = time.monotonic() + 60
    while "Reading: " not in command.err or rows(running, "documents") < 3:
        assert time.monotonic() < deadline, command.err
        time.sleep(0.05)

    command.send(signal.SIGINT)

    assert command.code() == 130, command.err
    assert "cancelled" in command.err
    assert "Traceback" not in command.err
    with psycopg.connect(running.home.address.conninfo(role=OWNER_ROLE)) as connection:
        assert connection.execute("SELECT status FROM sources").fetchall() == [("cancelled",)]
    assert 0 < rows(running, "documents") < 200


def test_a_terminal_shows_a_bar(running: Installation, tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"n{number}.md").write_text(f"# Note {number}\n\n" + f"It costs {number} dollars. " * 40)
    master, slave = os.openpty()
    command = subprocess.Popen(
        [sys.executable, "-m", "concierge.entrypoints.cli", "ingest", str(tmp_path), "--agent", "ada"],
        env={
            **os.environ,
            "CONCIERGE_DATA_DIR": str(running.data_dir),
            "TERM": "xterm-256color",
            "COLUMNS": "120",
        },
        stderr=slave,
    )
    os.close(slave)
    seen = b""
    while chunk := _read(master):
        seen += chunk
    os.close(master)

    assert command.wait(30) == 0, seen
    assert re.search(rb"Reading.*\d%.*documents", seen), seen
    assert b"60 documents read" in seen


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # How a terminal says that nobody holds its other end any more.
        return b""


def test_a_backup_brings_everything_back(running: Installation, shop: Path, tmp_path: Path) -> None:
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    file = tmp_path / "shop [monday].backup"
    assert "Wrote" in succeeded(running.run("db", "backup", str(file)))
    succeeded(running.run("ingest", str(shop / "chairs.md"), "--agent", "ada"))
    (shop / "tables.md").unlink()
    succeeded(running.run("ingest", str(shop), "--agent", "ada"))
    assert rows(running, "documents") == 1

    refused = running.run("db", "restore", str(file))
    assert refused.code() == 1
    assert rows(running, "documents") == 1
    assert "Restored" in succeeded(running.run("db", "restore", str(file), "--yes"))

    assert rows(running, "documents") == 2
    answer = running.run("ask", "How much does the Lagoon table cost?", "--agent", "ada")
    succeeded(answer)
    assert "649" in answer.out
    failed(running.run("db", "restore", str(shop / "chairs.md"), "--yes"), "not a backup")
    failed(running.run("db", "restore", "/no/such/file", "--yes"), "/no/such/file")
    failed(running.run("db", "backup", "/no/such/folder/file"), "/no/such/folder")


def test_the_schema_is_shown_and_brought_up_to_date(running: Installation) -> None:
    status = running.run("db", "status")
    succeeded(status)
    assert "organizations" in status.out
    assert "up to date" in succeeded(running.run("db", "migrate"))
    with psycopg.connect(running.home.address.conninfo(role=OWNER_ROLE)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    for command in (("serve",), ("worker",), ("db", "migrate"), ("ask", "Hello?", "-a", "ada")):
        failed(running.run(*command), "9999", "newer release")


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@127.0.0.1:1/nothing", "postgresql://nobody@no-such-host.invalid/nothing"]
)
@pytest.mark.parametrize(
    "command", [("serve",), ("worker",), ("db", "status"), ("ask", "Hello?", "-a", "ada")]
)
def test_a_database_elsewhere_that_is_away_is_said_to_be(
    installation: Installation, command: tuple[str, ...], url: str
) -> None:
    failed(installation.run(*command, CONCIERGE_DATABASE_URL=url), "database cannot be reached")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONCIERGE_PORT", "eighty"),
        ("CONCIERGE_DATABASE_URL", "mysql://localhost/shop"),
        ("CONCIERGE_LIMITS", "not json"),
        ("CONCIERGE_LIMITS__UPLOAD_BYTES", "many"),
    ],
)
def test_a_setting_that_is_wrong_is_named(installation: Installation, name: str, value: str) -> None:
    failed(
        installation.run("db", "status", **{name: value}),
        name.removeprefix("CONCIERGE_").partition("__")[0].lower(),
    )


def test_a_port_in_use_is_said_to_be(installation: Installation) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port: int = other.getsockname()[1]

        failed(installation.run("serve", CONCIERGE_PORT=str(port)), f"port {port}", "--port")


def test_the_demo_is_loaded_once_and_served(installation: Installation) -> None:
    first = succeeded(installation.run("demo"))
    second = succeeded(installation.run("demo"))

    assert "owner@coconut.example" in first
    password = re.compile(r"password: (\S+)")
    assert password.findall(first) == password.findall(second)
    credentials = installation.data_dir / "demo.json"
    assert credentials.stat().st_mode & 0o777 == 0o600
    server = installation.serve("--demo")
    assert rows(installation, "documents") == 45
    assert rows(installation, "source_items WHERE status <> 'stored'") == 0
    assert rows(installation, "organizations") == 2
    known = json.loads(credentials.read_text())
    reply = httpx.post(
        f"{installation.origin}/api/v1/chat/{known['agent_id']}",
        headers={"Authorization": f"Bearer {known['secret_key']}"},
        json={"message": "How many days do I have to return a standard product?"},
        timeout=30,
    )
    assert "30 days" in reply.json()["response"]
    server.send(signal.SIGINT)
    assert server.code(15) == 0
