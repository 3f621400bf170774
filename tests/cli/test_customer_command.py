"""`concierge customer`: what is kept of one person, shown, handed over, and erased."""

import json
from pathlib import Path
from uuid import UUID

import psycopg

from concierge.kit.ids import new_id
from concierge.kit.postgres import OWNER_ROLE
from tests.cli.test_commands import failed, rows, running, succeeded
from tests.resilience.support import Installation

__all__ = ["running"]

ADD = """
WITH customer AS (
    INSERT INTO customers (org_id, id, external_id, profile_type, name, email, labels, last_page)
    VALUES (%(org)s, %(id)s, %(own)s, 'identified', %(name)s, 'Ann@Shop.example', '{vip}', '/chairs')
), visitor AS (
    INSERT INTO visitors (org_id, id, customer_id) VALUES (%(org)s, %(id)s, %(id)s)
), conversation AS (
    INSERT INTO conversations (org_id, id, agent_id, visitor_id, turn_count)
    VALUES (%(org)s, %(id)s, %(agent)s, %(id)s, 1)
)
INSERT INTO turns (org_id, id, conversation_id, agent_id, seq, status, message)
VALUES (%(org)s, %(id)s, %(id)s, %(agent)s, 1, 'completed', 'Where is Zürich?')
"""


def add_customer(installation: Installation, name: str, external_id: str) -> UUID:
    """A customer with one conversation of one turn."""
    known = installation.credentials
    customer_id = new_id()
    values = {
        "org": known.org_id,
        "agent": known.agent_id,
        "id": customer_id,
        "own": external_id,
        "name": name,
    }
    with psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE)) as connection:
        connection.execute(ADD.encode(), values)
    return customer_id


def test_a_customer_is_shown_handed_over_and_erased(running: Installation, tmp_path: Path) -> None:
    customer_id = add_customer(running, "Ann [of Palm]", "u-1")
    file = tmp_path / "ann.json"

    shown = running.run("customer", "show", "u-1")
    succeeded(shown)
    assert "Ann [of Palm]" in shown.out
    assert str(customer_id) in shown.out
    assert "Wrote everything" in succeeded(running.run("customer", "export", "ann@shop.example", str(file)))
    told = json.loads(file.read_text("utf-8"))
    assert told["conversations"][0]["turns"][0]["message"] == "Where is Zürich?"
    assert file.stat().st_mode & 0o777 == 0o600
    printed = running.run("customer", "export", str(customer_id))
    succeeded(printed)
    assert json.loads(printed.out)["customer"]["name"] == "Ann [of Palm]"

    refused = running.run("customer", "erase", "u-1")
    assert refused.code() == 1
    assert "Ann [of Palm]" in refused.err
    assert rows(running, "customers") == 1
    said = succeeded(running.run("customer", "erase", "u-1", "--yes"))
    assert "Conversations: 1, visitors: 1" in said
    assert [rows(running, table) for table in ("customers", "visitors", "conversations", "turns")] == [0] * 4


def test_whoever_is_not_there_or_not_alone_is_said_to_be(running: Installation, tmp_path: Path) -> None:
    first, second = (add_customer(running, "Ann", f"u-{number}") for number in range(2))

    for command in ("show", "export", "erase"):
        failed(running.run("customer", command, "nobody"), "no customer “nobody”")
        failed(running.run("customer", command, "ann@shop.example"), "by id", str(first), str(second))
    failed(running.run("customer", "export", "u-0", str(tmp_path / "no" / "such")), "cannot be written")
    assert rows(running, "customers") == 2
