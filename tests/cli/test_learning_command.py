"""`concierge learning`: what was learned, in a terminal."""

import psycopg

from concierge.kit.ids import new_id
from concierge.kit.postgres import OWNER_ROLE
from tests.cli.test_commands import failed, rows, running, succeeded
from tests.resilience.support import Installation

__all__ = ["running"]

CONVERSATION = """
INSERT INTO conversations (org_id, id, agent_id) SELECT org_id, %(id)s, id FROM agents
"""
TURN = """
INSERT INTO turns (org_id, id, conversation_id, agent_id, seq, message)
SELECT org_id, id, id, agent_id, 1, 'Hello?' FROM conversations WHERE id = %(id)s
"""
USE = """
INSERT INTO strategy_uses (org_id, turn_id, conversation_id, agent_id, segment, rule, strategy, explored, success, at)
SELECT org_id, id, id, agent_id, 'new · buying · mobile', 'discovery', 'showcase', true, 1, now() FROM turns
WHERE id = %(id)s
"""


def test_what_was_learned_is_shown_and_counted_anew(running: Installation) -> None:
    with psycopg.connect(running.home.address.conninfo(role=OWNER_ROLE)) as connection:
        turn = {"id": new_id()}
        for statement in (CONVERSATION, TURN, USE):
            connection.execute(statement.encode(), turn)
        (org_id,) = connection.execute("SELECT org_id FROM agents").fetchall()[0]

    assert "counted anew" in succeeded(running.run("learning", "count", "--org", str(org_id)))
    shown = running.run("learning", "show", "--org", str(org_id))

    assert "1 conversations with an outcome are known. Learning begins after 199 more" in succeeded(shown)
    assert "new · buying · mobile: 1 turns" in shown.out
    assert "showcase" in shown.out
    assert "1.0 of 1.0" in shown.out
    assert rows(running, "strategy_counts") == 1
    failed(running.run("learning", "show", "--org", "Nobody [Ltd]"), "no organization “Nobody [Ltd]”")
