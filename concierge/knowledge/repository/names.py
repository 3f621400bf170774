from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session

MOST_NAMES = 5_000
# Headings repeat: so many passages are looked at, and in a large pack the rest add little.
CHUNKS_LOOKED_AT = 20_000
NAMES = text("""
SELECT title FROM documents WHERE org_id = :org_id AND pack_id = ANY (:packs) AND audience IS NULL
UNION
SELECT heading FROM (
    SELECT unnest(c.headings) AS heading
    FROM (
        SELECT c.headings FROM documents d JOIN chunks c ON c.org_id = d.org_id AND c.document_id = d.id
        WHERE d.org_id = :org_id AND d.pack_id = ANY (:packs) AND d.audience IS NULL
        LIMIT :chunks
    ) c
) h
LIMIT :most
""")


class NameRepository:
    """What documents and their parts are called."""

    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._scope = scope

    async def names(self, pack_ids: Sequence[UUID]) -> list[str]:
        """Titles and headings of these packs' public documents, each once, sorted; of very large packs, a part of them."""
        parameters = {
            "org_id": self._scope.org_id,
            "packs": list(pack_ids),
            "chunks": CHUNKS_LOOKED_AT,
            "most": MOST_NAMES,
        }
        return sorted(await self._session.scalars(NAMES, parameters))
