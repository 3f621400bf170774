"""How conversations end, as visitors and businesses tell it."""

from typing import Annotated, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator

from concierge.kit.fields import LongText, Name, Out, PlainText

OutcomeKind = Literal["resolved", "handed_over", "csat", "thumbs_up", "thumbs_down", "converted", "abandoned"]
EventKind = Literal["converted", "resolved", "handed_over", "abandoned"]
WORST_RATING: Final = 1
BEST_RATING: Final = 5
MOST_WORTH: Final = 1e12

EventId = Annotated[str, StringConstraints(min_length=1, max_length=200), PlainText]


class FeedbackIn(BaseModel):
    """What a visitor thinks of one reply. Saying it again takes the place of what was said before."""

    thumbs: Literal["up", "down"]
    comment: LongText = ""


class RatingIn(BaseModel):
    """What a visitor thinks of a conversation. Saying it again takes the place of what was said before."""

    rating: int = Field(ge=WORST_RATING, le=BEST_RATING, description="From 1 (bad) to 5 (very good).")
    comment: LongText = ""


class EventIn(BaseModel):
    """What became of a visitor elsewhere: bought, booked, signed up."""

    id: EventId = Field(description="Your id of the event. Sent again, it counts once.")
    kind: EventKind = "converted"
    name: Name = Field(default="converted", description="What you call it, such as “order placed”.")
    value: float = Field(default=0.0, ge=-MOST_WORTH, le=MOST_WORTH, allow_inf_nan=False)
    visitor_id: UUID | None = Field(
        default=None, description="Whose latest conversation of the last 30 days it is counted for."
    )
    conversation_id: UUID | None = None

    @model_validator(mode="after")
    def _says_whose(self) -> Self:
        if self.visitor_id is None and self.conversation_id is None:
            raise ValueError("must have a `conversation_id` or a `visitor_id`")
        return self


class OutcomeOut(Out):
    """An outcome as it is stored. `conversation_id` is null where a visitor has had no conversation lately."""

    id: UUID
    kind: OutcomeKind
    value: float
    conversation_id: UUID | None
    turn_id: UUID | None
    visitor_id: UUID | None
