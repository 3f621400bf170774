from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from concierge.accounts.scope import TenantScope
from concierge.kit.db import Session
from concierge.tools.models import WebSearchResult
from concierge.tools.schemas import WebResult

_RESULTS = TypeAdapter(tuple[WebResult, ...])


class WebSearchRepository:
    def __init__(self, session: Session, scope: TenantScope) -> None:
        self._session = session
        self._org_id = scope.org_id

    async def kept(self, provider: str, key: bytes, now: datetime) -> tuple[WebResult, ...] | None:
        """Return what the same search came to, which may be nothing; None where it was not made lately."""
        query = select(WebSearchResult.results).where(
            WebSearchResult.org_id == self._org_id,
            WebSearchResult.provider == provider,
            WebSearchResult.key == key,
            WebSearchResult.expires_at > now,
        )
        found = await self._session.scalar(query)
        return None if found is None else _RESULTS.validate_python(found)

    async def keep(
        self, provider: str, key: bytes, results: Sequence[WebResult], now: datetime, expires_at: datetime
    ) -> None:
        """Keep what a search came to, and throw away what nobody may use any more: rows never pile up."""
        own = {
            "results": _RESULTS.dump_python(tuple(results), mode="json"),
            "found_at": now,
            "expires_at": expires_at,
        }
        await self._session.execute(
            insert(WebSearchResult)
            .values(org_id=self._org_id, provider=provider, key=key, **own)
            .on_conflict_do_update(index_elements=["org_id", "provider", "key"], set_=own)
        )
        # Those that another search throws away at this moment are left to it.
        names = WebSearchResult.provider, WebSearchResult.key
        is_expired = WebSearchResult.org_id == self._org_id, WebSearchResult.expires_at <= now
        expired = select(*names).where(*is_expired).with_for_update(skip_locked=True)
        await self._session.execute(
            delete(WebSearchResult).where(*is_expired, tuple_(*names).in_(expired)),
            execution_options={"synchronize_session": False},
        )
