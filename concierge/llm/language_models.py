"""The language models of vendors, through pydantic-ai: a question is one request, and takes no longer than allowed."""

import asyncio
import time
from collections import OrderedDict
from typing import Any, TypeVar

import structlog
from pydantic_ai import Agent, ModelSettings, NativeOutput
from pydantic_ai.models import Model
from pydantic_ai.output import OutputSpec
from pydantic_ai.usage import RunUsage

from concierge.kit.errors import UnavailableError
from concierge.kit.settings import LanguageModel
from concierge.llm.structured import FailureKind, ModelAddress, StructuredReply
from concierge.llm.vendors import failure_of, set_up

logger = structlog.get_logger(__name__)

Output = TypeVar("Output")

# A form is filled in with a few hundred tokens; this bounds what an answer that runs on may cost.
MAX_OUTPUT_TOKENS = 1_000
KEPT_AGENTS = 32
WHERE_SET = "It is set by CONCIERGE_LLM__MODEL, CONCIERGE_LLM__KEY and CONCIERGE_LLM__URL."
# Whom a call that is asked for does not oblige to make it, whatever the profile of the model says.
UNOBLIGED = {"ollama"}


class VendorModel:
    """A vendor's language model as the product's StructuredModel."""

    def __init__(self, model: Model, settings: ModelSettings, *, name: str, seconds: float) -> None:
        self._model = model
        self._settings = settings
        self._name = name
        self._seconds = seconds
        # Setting one up takes 1 to 2 ms, a tenth of what asking takes of this process.
        self._agents: OrderedDict[tuple[type[Any], str], Agent[object, Any]] = OrderedDict()

    @property
    def name(self) -> str:
        return self._name

    async def ask(self, output: type[Output], instructions: str, text: str) -> StructuredReply[Output]:
        agent = self._agent(output, instructions)
        usage = RunUsage()
        value: Output | None = None
        failure: FailureKind | None = None
        started = time.perf_counter()
        try:
            async with asyncio.timeout(self._seconds):
                value = (await agent.run(text, usage=usage, infer_name=False)).output
        except Exception as error:  # noqa: BLE001  # An answer of no known shape fails in ways nobody has listed.
            failure = failure_of(error)
            # Its message may repeat what was sent.
            logger.warning(
                "language model gave no answer",
                model=self._name,
                failure=failure,
                reason=type(error).__name__,
            )
        return StructuredReply(
            model=self._name,
            milliseconds=round((time.perf_counter() - started) * 1000, 1),
            value=value,
            failure=failure,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
        )

    def _agent(self, output: type[Output], instructions: str) -> Agent[object, Output]:
        key = output, instructions
        agent = self._agents.get(key)
        if agent is None:
            agent = Agent(
                self._model,
                output_type=_form(self._model, output),
                instructions=instructions,
                model_settings=self._settings,
                retries=0,
            )
        self._agents[key] = agent
        self._agents.move_to_end(key)
        if len(self._agents) > KEPT_AGENTS:
            self._agents.popitem(last=False)
        return agent


def create_vendor_model(settings: LanguageModel) -> VendorModel:
    """Raises UnavailableError when pydantic-ai knows no such model, or its key or library is missing."""
    name = settings.model or ""
    address = ModelAddress(name, settings.key, str(settings.url) if settings.url else None)
    try:
        vendor = set_up(address)
    except UnavailableError as error:
        raise UnavailableError(f"{error.detail} {WHERE_SET}", code=error.code, retry_after_s=60) from error
    # The same question gets the same answer, as far as the model can be told so.
    asked = vendor.settings(MAX_OUTPUT_TOKENS, temperature=0.0)
    return VendorModel(vendor.model, asked, name=name, seconds=settings.seconds)


def _form(model: Model, output: type[Output]) -> OutputSpec[Output]:
    """A tool that the model must call; where it cannot be made to call one, text bound to the form's schema."""
    obliged = model.profile.get("supports_forced_tool_choice", True) and model.system not in UNOBLIGED
    if obliged or not model.profile.get("supports_json_schema_output"):
        return output
    return NativeOutput(output)
