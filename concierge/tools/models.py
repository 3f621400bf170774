from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from concierge.kit.db import Base


class WebSearchResult(Base):
    """What a search came to, for those who search for the same soon. `key` is a digest: what was asked is not kept."""

    __tablename__ = "web_search_results"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    provider: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    results: Mapped[list[Any]]
    found_at: Mapped[datetime]
    expires_at: Mapped[datetime]
