"""What a run of ingestion takes with it from transaction to transaction."""

from dataclasses import dataclass
from uuid import UUID

from concierge.accounts.scope import TenantScope
from concierge.knowledge.models import Source


@dataclass(frozen=True, slots=True)
class Claim:
    """A source as it was when its reading began. `anew`: everything is read and stored again, changed or not."""

    scope: TenantScope
    source: Source
    anew: bool

    @property
    def source_id(self) -> UUID:
        return self.source.id

    @property
    def pack_id(self) -> UUID:
        return self.source.pack_id

    @property
    def sync_id(self) -> UUID | None:
        return self.source.sync_id
