"""Keys are UUIDv7: made in the app, ordered by time, safe to show."""

from uuid import UUID

import uuid_utils.compat


def new_id() -> UUID:
    return uuid_utils.compat.uuid7()
