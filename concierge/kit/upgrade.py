"""Apply what is missing of the schema. Loaded only when something is: see `concierge.kit.migrations`."""

from pathlib import Path
from typing import Any

import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text

logger = structlog.get_logger(__name__)

LOCK_KEY = 2_071_160_807  # Any number will do, as long as it never changes.
LOCK_TIMEOUT = "10s"
STATEMENT_TIMEOUT = "10min"


def upgrade(owner_url: str, location: Path) -> list[str]:
    """Apply what is missing, under an advisory lock. Returns the revisions applied, oldest first."""
    engine = create_engine(owner_url, connect_args={"connect_timeout": 10})
    with engine.connect() as connection:
        _lock(connection)
        applied = _apply(connection, location)
    engine.dispose()
    return applied


def _lock(connection: Connection) -> None:
    connection.execute(text(f"SELECT pg_advisory_lock({LOCK_KEY})"))
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))
    connection.commit()


def _apply(connection: Connection, location: Path) -> list[str]:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(location))
    applied: list[str] = []

    def note(*, step: Any, **_rest: Any) -> None:
        applied.extend(step.up_revision_ids)
        logger.info("schema migrated", revision=step.up_revision_ids)

    config.attributes["on_version_apply"] = note
    command.upgrade(config, ScriptDirectory.from_config(config).get_current_head() or "head")
    connection.commit()
    return applied
