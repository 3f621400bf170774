"""A vendor's model, set up through pydantic-ai from its name, a key and an address."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any, Final, cast

import httpx2
from pydantic import SecretStr
from pydantic_ai import ModelSettings
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
    UsageLimitExceeded,
    UserError,
)
from pydantic_ai.models import Model, create_async_httpx2_client, infer_model
from pydantic_ai.providers import Provider, infer_provider_class

from concierge.kit.errors import UnavailableError
from concierge.llm.guarded import GuardedTransport
from concierge.llm.structured import FailureKind, ModelAddress

# The first that fits counts; whatever fits none of them was an answer, but of no use.
FAILURES: Final[tuple[tuple[tuple[type[Exception], ...], FailureKind], ...]] = (
    ((TimeoutError, ModelTimeoutError, ModelRequestTimeout), "late"),
    ((ModelRateLimitError, ModelQuotaExceededError), "limited"),
    ((UsageLimitExceeded,), "spent"),
    ((ModelConnectionError, ModelServerError, ModelUnavailableError, httpx2.TransportError), "unavailable"),
    ((ModelRequestRejectedError, ModelHTTPError, ContentFilterError, UserError), "refused"),
)

# A deadline of less than a second has no time to spare for a new TLS connection, which is what every visitor's
# message would need with the five seconds that the client itself keeps an idle one.
CONNECTIONS = httpx2.Limits(max_connections=100, max_keepalive_connections=20, keepalive_expiry=60)
DEFAULT_URLS = {"ollama": "http://localhost:11434/v1"}
OPENAI_APIS = {"openai", "openai-chat", "openai-responses"}
# Whom a tenant may ask with a key of their own, and by which of their APIs.
TENANT_VENDORS = {"openai", "anthropic", "google"}
TENANT_APIS = OPENAI_APIS | {"anthropic", "google", "google-gla"}
# `openai:…` is OpenAI's Responses API; what other servers have in common with OpenAI is Chat Completions.
COMPATIBLE_API = {"openai": "openai-chat"}
# A vendor that keeps what it was asked, unless told not to, is told not to.
API_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "openai": {"openai_store": False},
    "openai-responses": {"openai_store": False},
}

_ANSWERS: ContextVar[list[httpx2.Response] | None] = ContextVar("answers", default=None)


@dataclass(frozen=True, slots=True)
class Vendor:
    """A model that is set up, and the API it is asked by."""

    model: Model
    api: str

    def settings(self, max_tokens: int, temperature: float) -> ModelSettings:
        """One try without thinking, for at most so many tokens; as warm as asked, where the model can be told so."""
        settings: dict[str, object] = {
            "max_tokens": max_tokens,
            "max_retries": 0,
            "thinking": False,
            **({"temperature": temperature} if _takes_temperature(self.model) else {}),
            **API_SETTINGS.get(self.api, {}),
        }
        return cast("ModelSettings", settings)


def set_up(address: ModelAddress) -> Vendor:
    """Raises UnavailableError when pydantic-ai knows no such model, or its key or library is missing."""
    try:
        return _vendor(address)
    except (UserError, ValueError, ImportError) as error:
        raise UnavailableError(
            f"The language model {address.model} cannot be set up: {error}",
            code="language_model_misconfigured",
            retry_after_s=60,
        ) from error


def _vendor(address: ModelAddress) -> Vendor:
    url = address.url.rstrip("/") if address.url else None
    api, model_name = _api_and_model(address.model, url)
    key = _key(address.key)
    if address.guarded:
        _check_tenants(api, key)
    provider = partial(_provider, key=key, url=url, guarded=address.guarded)
    return Vendor(infer_model(f"{api}:{model_name}", provider), api)


def failure_of(error: BaseException) -> FailureKind:
    """What an error of a request means to those who asked."""
    for kinds, failure in FAILURES:
        if isinstance(error, kinds):
            return failure
    return "malformed"


def _check_tenants(api: str, key: str | None) -> None:
    """What the environment holds, keys and cloud accounts, is not for a tenant to use."""
    if api not in TENANT_APIS:
        raise UserError(
            f"of vendors, {', '.join(sorted(TENANT_VENDORS))} can be asked with a key of your own."
        )
    if key is None:
        raise UserError("it needs an API key.")


def _api_and_model(setting: str, url: str | None) -> tuple[str, str]:
    vendor, _, model = setting.partition(":")
    if not (vendor and model):
        raise UserError("it is to be written with its vendor, such as openai:gpt-5.1.")
    return COMPATIBLE_API.get(vendor, vendor) if url else vendor, model


def _key(given: SecretStr | None) -> str | None:
    key = given.get_secret_value() if given else ""
    if not (key.isascii() and key.isprintable()):
        raise UserError("its key holds a character that no key has, such as a line break.")
    return key or None


def _provider(api: str, *, key: str | None, url: str | None, guarded: bool) -> Provider[Any]:
    client = _http_client(guarded=guarded)
    if url and api in OPENAI_APIS:
        return _compatible_provider(key, url, client)
    if api.startswith("gateway/"):  # Set up like this, its key would go to the vendor behind it.
        raise UserError("a gateway is reached as openai:… by its address.")
    provider_class = _provider_class(api)
    url = url or DEFAULT_URLS.get(api)
    options: dict[str, Any] = {"http_client": client}
    options |= {name: value for name, value in (("api_key", key), ("base_url", url)) if value}
    try:
        return provider_class(**options)
    except UserError as error:
        if key is None:
            raise UserError("it needs an API key.") from error
        raise
    except TypeError as error:
        raise UserError(
            "this vendor is not set up by a key and an address; where it speaks as OpenAI does, write openai:… "
            "and its address."
        ) from error


def _provider_class(api: str) -> type[Provider[Any]]:
    try:
        return infer_provider_class(api)
    except ValueError as error:
        raise UserError(f"no vendor is known as {api}; openai, anthropic, google and ollama are.") from error


def _compatible_provider(key: str | None, url: str, client: httpx2.AsyncClient) -> Provider[Any]:
    """A server that speaks as OpenAI's does, and is never shown the key that the environment holds for OpenAI."""
    openai_compatible = import_module("pydantic_ai.providers.openai_compatible")
    return openai_compatible.OpenAICompatibleProvider(
        "openai-compatible", base_url=url, api_key=key, http_client=client
    )


@asynccontextmanager
async def hanging_up() -> AsyncGenerator[None]:
    """Close on leaving whatever connection was opened meanwhile and is still being read from.

    Not every vendor's client closes a stream that is given up, and a model that nobody listens to still costs.
    """
    answers: list[httpx2.Response] = []
    token = _ANSWERS.set(answers)
    try:
        yield
    finally:
        with suppress(ValueError):  # A generator that is closed from elsewhere ends in another context.
            _ANSWERS.reset(token)
        for answer in answers:
            if not answer.is_closed:
                await answer.aclose()


async def _keep(answer: httpx2.Response) -> None:
    answers = _ANSWERS.get()
    if answers is not None:
        answers.append(answer)


def _http_client(*, guarded: bool) -> httpx2.AsyncClient:
    transport = GuardedTransport(CONNECTIONS) if guarded else None
    client = create_async_httpx2_client(limits=CONNECTIONS, transport=transport)
    client.event_hooks["response"].append(_keep)
    return client


def _takes_temperature(model: Model) -> bool:
    """Some of Anthropic's models and those of OpenAI's that cannot but think take none."""
    profile = model.profile
    always_reasons = profile.get("openai_supports_reasoning") and profile.get("thinking_always_enabled")
    return not (profile.get("anthropic_disallows_sampling_settings") or always_reasons)
