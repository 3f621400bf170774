from typing import Any

from pydantic import BaseModel, Field

from concierge.knowledge.schemas.sources import Audience


class SourcePatch(BaseModel):
    """What an operator now says of a source; what is left out stays as it is."""

    authoritative: bool | None = None
    credibility: float | None = Field(default=None, ge=0, le=1)
    audience: Audience | None = Field(
        default=None, description="Who may read it: a label that a visitor must have; empty for everybody."
    )


class DocumentPatch(SourcePatch):
    """What an operator now says of a document, for all its versions to come.

    What is left out stays as it is; what is null is taken from its source again.
    """

    def said(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True)
