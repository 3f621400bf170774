"""Vendors' models as writers, through pydantic-ai."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from functools import partial
from typing import Any, Final

import structlog
from pydantic import ValidationError
from pydantic_ai import Agent, AgentRunResultEvent, AgentStreamEvent
from pydantic_ai import Tool as VendorTool
from pydantic_ai.messages import (
    FunctionToolCallEvent,
    FunctionToolResultEvent,
    PartDeltaEvent,
    PartStartEvent,
    TextPart,
    TextPartDelta,
)
from pydantic_ai.usage import RunUsage, UsageLimits

from concierge.llm.structured import ModelAddress
from concierge.llm.vendors import failure_of, hanging_up, set_up
from concierge.llm.writing import (
    CalledTool,
    Discarded,
    Finished,
    ModelFailedError,
    Request,
    Tokens,
    Tool,
    WritingEvent,
    Wrote,
)

logger = structlog.get_logger(__name__)

# A reply, and three more after what tools have found.
MOST_REQUESTS: Final = 4
MOST_TOOL_CALLS: Final = 6
REFUSED: Final = "The arguments do not fit: "

RunEvent = AgentStreamEvent | AgentRunResultEvent[str]


class VendorTextModel:
    """A vendor's model as the product's TextModel."""

    def __init__(self, address: ModelAddress) -> None:
        self._vendor = set_up(address)
        self._name = address.model
        self._agent = Agent(self._vendor.model, output_type=str, retries=0)

    @property
    def name(self) -> str:
        return self._name

    async def write(self, request: Request) -> AsyncGenerator[WritingEvent]:
        """Ask once. Errors: ModelFailedError."""
        usage = RunUsage()
        try:
            async with aclosing(self._events(request, usage)) as events:
                async for event in events:
                    yield event
        except (GeneratorExit, asyncio.CancelledError):
            raise
        except Exception as error:  # A reply of no known shape fails in ways nobody has listed.
            kind = failure_of(error)
            # Its message may repeat what was sent.
            logger.warning(
                "language model wrote no answer", model=self._name, failure=kind, reason=type(error).__name__
            )
            raise ModelFailedError(kind, getattr(error, "retry_after", None), _tokens(usage)) from error

    async def _events(self, request: Request, usage: RunUsage) -> AsyncGenerator[WritingEvent]:
        deadline = asyncio.get_running_loop().time() + request.whole_s
        written = False
        async with hanging_up(), self._run(request, usage) as events:
            async for event in _in_time(aiter(events), request, deadline):
                for own in _told(event, usage, has_written=written):
                    written = isinstance(own, Wrote) or (written and not isinstance(own, Discarded))
                    yield own

    def _run(self, request: Request, usage: RunUsage) -> Any:
        limits = UsageLimits(
            request_limit=MOST_REQUESTS,
            tool_calls_limit=MOST_TOOL_CALLS,
            total_tokens_limit=request.total_tokens,
        )
        toolset = [_vendor_tool(tool) for tool in request.tools]
        agent = self._agent if not toolset else Agent(self._vendor.model, output_type=str, tools=toolset)
        return agent.run_stream_events(
            request.user,
            instructions=request.system,
            model_settings=self._vendor.settings(request.max_tokens, request.temperature),
            usage=usage,
            usage_limits=limits,
            infer_name=False,
        )


async def _in_time(
    events: AsyncIterator[RunEvent], request: Request, deadline: float
) -> AsyncGenerator[RunEvent]:
    """Pass events on as long as none of the request's times is up. Errors: TimeoutError."""
    loop = asyncio.get_running_loop()
    patience = request.first_word_s
    while True:
        async with asyncio.timeout_at(min(loop.time() + patience, deadline)):
            event = await anext(events, None)
        if event is None:
            return
        yield event
        patience = request.silence_s


def _told(event: RunEvent, usage: RunUsage, *, has_written: bool) -> list[WritingEvent]:
    match event:
        case PartStartEvent(part=TextPart(content=text)) if text:
            return [Wrote(text)]
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
            return [Wrote(text)]
        case FunctionToolCallEvent() if has_written:
            return [Discarded()]
        case FunctionToolResultEvent(part=part):
            content = part.content if isinstance(part.content, str) else ""
            return [CalledTool(part.tool_name or "", refused=content.startswith(REFUSED))]
        case AgentRunResultEvent(result=result):
            return [Finished(str(result.output), _tokens(usage))]
        case _:
            return []


def _vendor_tool(tool: Tool) -> VendorTool[object]:
    schema = tool.arguments.model_json_schema()
    return VendorTool.from_schema(partial(_call, tool), tool.name, tool.description, schema)


async def _call(tool: Tool, **arguments: Any) -> str:
    try:
        checked = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, own['loc']))}: {own['msg']}" for own in error.errors()[:5])
        return f"{REFUSED}{wrong}"
    return await tool.call(checked)


def _tokens(usage: RunUsage) -> Tokens:
    return Tokens(usage.input_tokens, usage.output_tokens)
