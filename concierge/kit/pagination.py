"""Cursor pagination: keys are ordered by time, so the last key of a page is the cursor of the next."""

from collections.abc import Sequence
from typing import Generic, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel

from concierge.kit.fields import Out


class Identified(Out):
    """Something with a key, as it leaves through HTTP."""

    id: UUID


ItemT = TypeVar("ItemT", bound=Identified)


class Page(BaseModel, Generic[ItemT]):
    """Up to `limit` items, and the cursor of the next page if there is one."""

    items: list[ItemT]
    next_cursor: UUID | None

    @classmethod
    def of(cls, items: Sequence[ItemT], limit: int) -> Self:
        """Take `limit + 1` items as fetched; the one too many only says that there is more."""
        page = list(items[:limit])
        return cls(items=page, next_cursor=page[-1].id if len(items) > limit else None)
