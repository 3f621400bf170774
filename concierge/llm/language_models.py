"""The language models of vendors, through pydantic-ai: a question is one request, and takes no longer than allowed."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Mapping
from functools import partial
from importlib import import_module
from typing import Any, TypeVar, cast

import httpx2
import structlog
from pydantic_ai import Agent, ModelSettings, NativeOutput
from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelConnectionError,
    ModelHTTPError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelServerError,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)
from pydantic_ai.models import Model, create_async_httpx2_client, infer_model
from pydantic_ai.output import OutputSpec
from pydantic_ai.providers import Provider, infer_provider_class
from pydantic_ai.usage import RunUsage

from concierge.kit.errors import UnavailableError
from concierge.kit.settings import LanguageModel
from concierge.llm.structured import FailureKind, StructuredReply

logger = structlog.get_logger(__name__)

Output = TypeVar("Output")

# The first that fits counts; whatever fits none of them was an answer, but of no use.
FAILURES: tuple[tuple[tuple[type[Exception], ...], FailureKind], ...] = (
    ((TimeoutError, ModelTimeoutError, ModelRequestTimeout), "late"),
    ((ModelRateLimitError, ModelQuotaExceededError), "limited"),
    ((ModelConnectionError, ModelServerError, ModelUnavailableError), "unavailable"),
    ((ModelRequestRejectedError, ModelHTTPError, ContentFilterError, UserError), "refused"),
)
# A form is filled in with a few hundred tokens; this bounds what an answer that runs on may cost.
MAX_OUTPUT_TOKENS = 1_000
KEPT_AGENTS = 32
# A deadline of less than a second has no time to spare for a new TLS connection, which is what every visitor's
# message would need with the five seconds that the client itself keeps an idle one.
CONNECTIONS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60)
# Whom a call that is asked for does not oblige to make it, whatever the profile of the model says.
UNOBLIGED = {"ollama"}
DEFAULT_URLS = {"ollama": "http://localhost:11434/v1"}
OPENAI_APIS = {"openai", "openai-chat", "openai-responses"}
# `openai:…` is OpenAI's Responses API; what other servers have in common with OpenAI is Chat Completions.
COMPATIBLE_API = {"openai": "openai-chat"}
# A vendor that keeps what it was asked, unless told not to, is told not to.
API_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "openai": {"openai_store": False},
    "openai-responses": {"openai_store": False},
}


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
            failure = _failure(error)
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
    url = str(settings.url).rstrip("/") if settings.url else None
    try:
        api, model_name = _api_and_model(name, url)
        model = infer_model(f"{api}:{model_name}", partial(_provider, key=_key(settings), url=url))
    except (UserError, ValueError, ImportError) as error:
        raise UnavailableError(
            f"The language model {name} cannot be set up: {error}",
            code="language_model_misconfigured",
            retry_after_s=60,
        ) from error
    return VendorModel(model, _model_settings(model, api), name=name, seconds=settings.seconds)


def _api_and_model(setting: str, url: str | None) -> tuple[str, str]:
    vendor, _, model = setting.partition(":")
    if not (vendor and model):
        raise UserError("it is to be written with its vendor, such as openai:gpt-5.1.")
    return COMPATIBLE_API.get(vendor, vendor) if url else vendor, model


def _key(settings: LanguageModel) -> str | None:
    key = settings.key.get_secret_value() if settings.key else ""
    if not (key.isascii() and key.isprintable()):
        raise UserError("CONCIERGE_LLM__KEY holds a character that no key has, such as a line break.")
    return key or None


def _provider(api: str, *, key: str | None, url: str | None) -> Provider[Any]:
    if url and api in OPENAI_APIS:
        return _compatible_provider(key, url)
    if api.startswith("gateway/"):  # Set up like this, its key would go to the vendor behind it.
        raise UserError("a gateway is reached as openai:… by its address, CONCIERGE_LLM__URL.")
    provider_class = _provider_class(api)
    url = url or DEFAULT_URLS.get(api)
    options: dict[str, Any] = {"http_client": _http_client()}
    options |= {name: value for name, value in (("api_key", key), ("base_url", url)) if value}
    try:
        return provider_class(**options)
    except UserError as error:
        if key is None:
            raise UserError("it needs an API key; set CONCIERGE_LLM__KEY.") from error
        raise
    except TypeError as error:
        raise UserError(
            "this vendor is not set up by a key and an address; where it speaks as OpenAI does, write openai:… "
            "and its address, CONCIERGE_LLM__URL."
        ) from error


def _provider_class(api: str) -> type[Provider[Any]]:
    try:
        return infer_provider_class(api)
    except ValueError as error:
        raise UserError(f"no vendor is known as {api}; openai, anthropic, google and ollama are.") from error


def _compatible_provider(key: str | None, url: str) -> Provider[Any]:
    """A server that speaks as OpenAI's does, and is never shown the key that the environment holds for OpenAI."""
    openai_compatible = import_module("pydantic_ai.providers.openai_compatible")
    return openai_compatible.OpenAICompatibleProvider(
        "openai-compatible", base_url=url, api_key=key, http_client=_http_client()
    )


def _http_client() -> httpx2.AsyncClient:
    return create_async_httpx2_client(limits=CONNECTIONS)


def _model_settings(model: Model, api: str) -> ModelSettings:
    """The same question gets the same answer, at once and in one try, as far as the model can be told so."""
    settings: dict[str, object] = {
        "max_tokens": MAX_OUTPUT_TOKENS,
        "max_retries": 0,
        "thinking": False,
        **({"temperature": 0.0} if _takes_temperature(model) else {}),
        **API_SETTINGS.get(api, {}),
    }
    return cast("ModelSettings", settings)


def _takes_temperature(model: Model) -> bool:
    """Some of Anthropic's models and those of OpenAI's that cannot but think take none."""
    profile = model.profile
    always_reasons = profile.get("openai_supports_reasoning") and profile.get("thinking_always_enabled")
    return not (profile.get("anthropic_disallows_sampling_settings") or always_reasons)


def _form(model: Model, output: type[Output]) -> OutputSpec[Output]:
    """A tool that the model must call; where it cannot be made to call one, text bound to the form's schema."""
    obliged = model.profile.get("supports_forced_tool_choice", True) and model.system not in UNOBLIGED
    if obliged or not model.profile.get("supports_json_schema_output"):
        return output
    return NativeOutput(output)


def _failure(error: Exception) -> FailureKind:
    for kinds, failure in FAILURES:
        if isinstance(error, kinds):
            return failure
    return "malformed"
