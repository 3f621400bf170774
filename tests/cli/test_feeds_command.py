"""`concierge ingest --feed`: a feed, looked at first, then read row by row."""

from pathlib import Path

import pytest

from tests.cli.test_commands import failed, running, succeeded
from tests.resilience.support import Installation

__all__ = ["running"]

GOODS = "nr,label,price\n1,Oak Table,349.00\n2,,5.00\n"


@pytest.fixture
def goods(tmp_path: Path) -> Path:
    file = tmp_path / "goods.csv"
    file.write_text(GOODS, encoding="utf-8")
    return file


def test_a_feed_is_previewed_without_a_database(installation: Installation, goods: Path) -> None:
    failed(installation.run("ingest", str(goods), "-a", "ada", "--feed", "--preview"), "map `title`")
    failed(
        installation.run("ingest", str(goods), "-a", "ada", "--feed", "--map", "title", "--preview"),
        "--map title=name",
    )
    failed(
        installation.run("ingest", str(goods), "-a", "ada", "--feed", "--map", "titel=label"), "is no field"
    )
    shown = installation.run(
        "ingest",
        str(goods),
        *("-a", "ada", "--feed", "--preview"),
        *("--map", "title=label", "--map", "id=nr", "--map", "currency==EUR"),
    )

    succeeded(shown)
    assert "1 of 2 rows can be read as products (csv)" in shown.out
    assert "title ← label" in shown.out
    assert "The Oak Table costs €349." in shown.out
    assert "Row 3: It has no title" in shown.out
    assert not list(installation.data_dir.rglob("postmaster.pid"))


def test_a_feed_is_read_and_read_again(running: Installation, goods: Path) -> None:
    words = ("--map", "title=label", "--map", "id=nr", "--map", "currency==EUR")

    said = succeeded(running.run("ingest", str(goods), "-a", "ada", "--feed", *words))
    assert "1 document read" in said
    assert "goods.csv/2: Row 3: It has no title" in said

    again = succeeded(running.run("ingest", str(goods), "-a", "ada", "--feed", *words))
    assert "1 unchanged" in again
    answer = running.run("ask", "How much does the Oak Table cost?", "-a", "ada")
    assert "€349" in answer.out
