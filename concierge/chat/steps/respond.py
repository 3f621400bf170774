"""Let the writer write, and pass on what it says as it says it."""

from concierge.chat.schemas import SourceOut
from concierge.chat.stream import TurnLog
from concierge.chat.writers.brief import (
    AnswerBrief,
    AnswerFinished,
    CitationAdded,
    Restarted,
    Writer,
    WrittenAnswer,
)


async def respond(writer: Writer, brief: AnswerBrief, log: TurnLog) -> WrittenAnswer:
    """Errors: RuntimeError when a writer ends without its answer, which is a fault of the writer."""
    async for event in writer.stream(brief):
        if isinstance(event, AnswerFinished):
            return event.answer
        if isinstance(event, CitationAdded):
            await log.say("citation", SourceOut.of(event.citation).model_dump(mode="json"))
        elif isinstance(event, Restarted):
            await log.say("status", {"stage": "rewriting"})
        else:
            await log.say("message.delta", {"text": event.text})
    raise RuntimeError("the writer ended without an answer")


async def tell(text: str, log: TurnLog) -> WrittenAnswer:
    """Say what no writer has to write."""
    await log.say("message.delta", {"text": text})
    return WrittenAnswer(text=text, outcome="small_talk", confidence=1.0, pieces=(text,))


async def cite(answer: WrittenAnswer, log: TurnLog) -> None:
    """Pass on the sources of a draft, which are known only once it was checked."""
    if answer.draft is None:
        return
    for citation in answer.citations:
        await log.say("citation", SourceOut.of(citation).model_dump(mode="json"))
