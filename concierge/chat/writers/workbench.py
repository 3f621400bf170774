"""What a model may have done for it while it writes, and what that found: sources with numbers of their own."""

from typing import Annotated, Final

from pydantic import BaseModel, Field

from concierge.chat.writers.catalog import passage_of_tool
from concierge.kit.sentences import sentence_spans
from concierge.knowledge.schemas import Passage
from concierge.llm.writing import Tool
from concierge.tools.calculator import Calculator

TITLE: Final = "Calculated just now"
DESCRIPTION: Final = (
    "Run a few lines of Python to work something out: totals, returns, dates. There are no files and no network. The value "
    "of the last expression comes back with the number of its source, to be put behind the sentence that states it."
)
LONGEST_CODE: Final = 4_000


class Calculation(BaseModel):
    code: Annotated[str, Field(max_length=LONGEST_CODE, description="Python, ending with an expression.")]


class Workbench:
    """For one call of a model. `first` is the number that the first result has as a source."""

    def __init__(self, calculator: Calculator, first: int) -> None:
        self._calculator = calculator
        self._first = first
        self.results: list[Passage] = []

    def tools(self) -> tuple[Tool, ...]:
        return (Tool("calculate", DESCRIPTION, Calculation, self._calculate),)

    async def _calculate(self, wanted: Calculation) -> str:
        done = await self._calculator.run(wanted.code)
        result = done.value or done.printed.strip()
        if done.failure is not None or not result:
            return f"It gave no result. {done.because}".strip()
        self.results.append(_passage(wanted.code, result))
        return f"[{self._first + len(self.results) - 1}] {result}"


def _passage(code: str, result: str) -> Passage:
    text = f"Result: {result}\nCalculated as: {code}"
    return passage_of_tool(TITLE, text, tuple(sentence_spans(text)))
