"""`concierge watch`: an agent's knowledge is as the folder is."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from concierge.kit.postgres import OWNER_ROLE
from tests.cli.test_commands import failed, running, shop
from tests.resilience.support import Installation

__all__ = ["running", "shop"]


def test_a_folder_is_followed_until_ctrl_c(running: Installation, shop: Path) -> None:
    command = running.start("watch", str(shop), "--agent", "ada", "--interval", "0.2")
    try:
        _wait_for(lambda: titles(running) == ["Chairs", "Tables"])
        (shop / "lamps.md").write_text("# Lamps\n\nThe Husk lamp costs 89 dollars.")
        _wait_for(lambda: titles(running) == ["Chairs", "Lamps", "Tables"])
        (shop / "tables.md").rename(shop / "desks.md")
        (shop / "desks.md").write_text("# Desks\n\nThe Lagoon desk costs 549 dollars.")
        (shop / "chairs.md").unlink()
        _wait_for(lambda: titles(running) == ["Desks", "Lamps"])
    finally:
        command.send(signal.SIGINT)

    assert command.code() == 130
    assert "Following" in command.err
    assert "Traceback" not in command.err


def test_only_a_folder_can_be_followed(running: Installation, tmp_path: Path) -> None:
    failed(running.run("watch", str(tmp_path / "nowhere"), "-a", "ada"), "no folder")
    failed(running.run("watch", str(tmp_path), "-a", "nobody"), "no agent “nobody”")


def titles(installation: Installation) -> list[str]:
    with psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE)) as connection:
        return [row[0] for row in connection.execute("SELECT title FROM documents ORDER BY title")]


def _wait_for(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
