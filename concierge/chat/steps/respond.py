"""Let the writer write, and pass on what it says as it says it."""

from concierge.chat.stream import TurnLog
from concierge.chat.writers.brief import (
    AnswerBrief,
    AnswerFinished,
    Citation,
    CitationAdded,
    Writer,
    WrittenAnswer,
)


async def respond(writer: Writer, brief: AnswerBrief, log: TurnLog) -> WrittenAnswer:
    """Errors: RuntimeError when a writer ends without its answer, which is a fault of the writer."""
    async for event in writer.stream(brief):
        if isinstance(event, AnswerFinished):
            return event.answer
        if isinstance(event, CitationAdded):
            await log.say("citation", citation_data(event.citation))
        else:
            await log.say("message.delta", {"text": event.text})
    raise RuntimeError("the writer ended without an answer")


def citation_data(citation: Citation) -> dict[str, object]:
    return {
        "number": citation.number,
        "document_id": str(citation.document_id),
        "title": citation.title,
        "url": citation.url,
        "type": citation.kind,
        "score": round(citation.score, 4),
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
    }
