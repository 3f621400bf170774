"""A model that writes what a script says: for evaluations and tests, where no vendor can or should be asked."""

from collections.abc import AsyncGenerator, Callable

from concierge.llm.writing import Finished, Request, Tokens, WritingEvent, Wrote


class ScriptedModel:
    """`script` reads what the model is asked, and says what it writes."""

    def __init__(self, script: Callable[[Request], str], *, name: str = "scripted") -> None:
        self._script = script
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    async def write(self, request: Request) -> AsyncGenerator[WritingEvent]:
        text = self._script(request)
        yield Wrote(text)
        yield Finished(text, Tokens(len(request.system + request.user) // 4, len(text) // 4))
