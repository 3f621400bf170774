"""Language models over the vendors' real clients, against a local server that speaks each vendor's protocol."""

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from typing import Literal

import pytest
from pydantic import BaseModel, HttpUrl, SecretStr

from concierge.kit.errors import UnavailableError
from concierge.kit.settings import LanguageModel, Settings
from concierge.llm.structured import FailureKind, StructuredModel, create_structured_model
from tests.llm.language_vendors import KEY, VENDORS, Answer, Vendor, VendorServer, model_at, served

pytestmark = pytest.mark.anyio

ServedBy = tuple[StructuredModel, VendorServer]
CLOSED_PORT = 9  # Discard: nobody listens there.
INSTRUCTIONS = "Read the visitor's message."
TEXT = "Where is my order? This is the third time I ask!"


class Reading(BaseModel):
    mood: Literal["angry", "calm"]
    topics: list[str]


class Topics(BaseModel):
    topics: list[str]


FILLED = {"mood": "angry", "topics": ["order"]}
READING = Reading(mood="angry", topics=["order"])


@pytest.fixture(scope="module", params=VENDORS.values(), ids=list(VENDORS))
async def served_by(request: pytest.FixtureRequest) -> AsyncIterator[ServedBy]:
    """A model of each vendor and the server that it asks, set up once for all questions."""
    async with served(request.param) as model_and_server:
        yield model_and_server


async def test_a_form_is_filled_in_with_one_request(served_by: ServedBy) -> None:
    model, server = served_by
    server.answers(Answer(server.vendor.fills(FILLED)))

    reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert (reply.value, reply.failure) == (READING, None)
    assert (reply.model, reply.input_tokens, reply.output_tokens) == (server.vendor.model, 11, 7)
    assert 0 < reply.milliseconds < 20_000
    [request] = server.requests
    assert request.head.startswith(f"post {server.vendor.path.lower()} ")
    assert INSTRUCTIONS in json.dumps(request.body)
    assert TEXT in json.dumps(request.body)


async def test_the_same_question_gets_the_same_short_answer_without_thinking(served_by: ServedBy) -> None:
    model, server = served_by
    server.answers(Answer(server.vendor.fills(FILLED)))

    await model.ask(Reading, INSTRUCTIONS, TEXT)

    body = server.requests[0].body
    sent = body | body.get("generationConfig", {})
    limits = {"max_tokens", "max_output_tokens", "max_completion_tokens", "maxOutputTokens"}
    assert sent["temperature"] == 0
    assert [sent[name] for name in limits & sent.keys()] == [1_000]
    assert sent.get("reasoning", {}).get("effort", "none") == "none"
    assert sent.get("thinkingConfig", {}).get("thinking_budget", 0) == 0
    assert "thinking" not in sent


FAILURES: dict[str, tuple[Callable[[Vendor], Answer], FailureKind]] = {
    "a form with a value it does not have": (
        lambda vendor: Answer(vendor.fills({"mood": "bored", "topics": []})),
        "malformed",
    ),
    "a form that is not filled in": (lambda vendor: Answer(vendor.fills({})), "malformed"),
    "words instead of a form": (lambda vendor: Answer(vendor.says("The visitor is angry.")), "malformed"),
    "a web page": (lambda _: Answer(b"<h1>Welcome</h1>", media_type="text/html"), "malformed"),
    "half of it": (lambda vendor: Answer(json.dumps(vendor.fills(FILLED)).encode()[:80]), "malformed"),
    "nothing": (lambda _: Answer(b""), "malformed"),
    "null": (lambda _: Answer(b"null"), "malformed"),
    "a list": (lambda _: Answer([]), "malformed"),
    "another form": (lambda _: Answer({"hello": "world"}), "malformed"),
    "400": (lambda vendor: Answer(vendor.fails(400), status=400), "refused"),
    "401": (lambda vendor: Answer(vendor.fails(401), status=401), "refused"),
    "404": (lambda vendor: Answer(vendor.fails(404), status=404), "refused"),
    "413": (lambda vendor: Answer(vendor.fails(413), status=413), "refused"),
    "429": (lambda vendor: Answer(vendor.fails(429), status=429), "limited"),
    "500": (lambda vendor: Answer(vendor.fails(500), status=500), "unavailable"),
    "503 from a proxy": (lambda _: Answer(b"<h1>Busy</h1>", 503, media_type="text/html"), "unavailable"),
    "529": (lambda vendor: Answer(vendor.fails(529), status=529), "unavailable"),
    "a connection that breaks off": (lambda _: Answer(dropped=True), "unavailable"),
}


@pytest.mark.parametrize(("answer", "failure"), FAILURES.values(), ids=list(FAILURES))
async def test_whatever_a_vendor_does_is_named_and_not_asked_for_again(
    served_by: ServedBy, answer: Callable[[Vendor], Answer], failure: FailureKind
) -> None:
    model, server = served_by
    server.answers(answer(server.vendor))

    reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert (reply.value, reply.failure) == (None, failure)
    assert len(server.requests) == 1


async def test_an_answer_of_no_use_has_cost_its_tokens_all_the_same(served_by: ServedBy) -> None:
    model, server = served_by
    server.answers(Answer(server.vendor.fills({"mood": "bored"})))

    reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert (reply.failure, reply.input_tokens, reply.output_tokens) == ("malformed", 11, 7)


async def test_who_no_longer_wants_an_answer_hangs_up(served_by: ServedBy) -> None:
    model, server = served_by
    server.answers(Answer(server.vendor.fills(FILLED), delay_s=5))

    asking = asyncio.create_task(model.ask(Reading, INSTRUCTIONS, TEXT))
    async with asyncio.timeout(2):
        await server.asked.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    async with asyncio.timeout(2):
        await server.left.wait()

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [200, 401])
async def test_the_key_is_sent_to_the_vendor_and_written_nowhere(
    served_by: ServedBy, status: int, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    model, server = served_by
    body = server.vendor.fills(FILLED) if status == 200 else server.vendor.fails(status)
    server.answers(Answer(body, status=status))

    reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert f"\r\n{server.vendor.key_header}\r\n" in server.requests[0].head
    inside = [repr(value) for value in vars(model).values()]
    for written in (caplog.text, *capfd.readouterr(), repr(model), repr(reply), *inside):
        assert KEY not in written


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=list(VENDORS))
async def test_a_slow_vendor_is_not_waited_for(vendor: Vendor) -> None:
    async with served(vendor, seconds=0.2) as (model, server):
        server.answers(Answer(vendor.fills(FILLED), delay_s=5))
        replies = [await model.ask(Reading, INSTRUCTIONS, TEXT) for _ in range(3)]
        async with asyncio.timeout(2):
            await server.left.wait()

    assert [reply.failure for reply in replies] == ["late"] * 3
    # The machine may have other things to do: a question may be late before it has left, and the best of three counts.
    assert 1 <= len(server.requests) <= 3
    assert 200 <= min(reply.milliseconds for reply in replies) < 300


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=list(VENDORS))
async def test_a_vendor_that_cannot_be_reached_is_unavailable(vendor: Vendor) -> None:
    reply = await model_at(vendor, CLOSED_PORT).ask(Reading, INSTRUCTIONS, TEXT)
    assert (reply.value, reply.failure, reply.input_tokens) == (None, "unavailable", 0)


def test_the_key_does_not_show_in_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCIERGE_LLM__MODEL", "openai:gpt-5.1")
    monkeypatch.setenv("CONCIERGE_LLM__KEY", KEY)
    settings = Settings()
    assert (settings.llm.model, settings.llm.seconds) == ("openai:gpt-5.1", 0.7)
    assert KEY not in repr(settings)


async def test_questions_of_several_kinds_at_a_time_each_get_their_own_answer() -> None:
    vendor = VENDORS["a server like OpenAI's"]
    async with served(vendor) as (model, server):
        server.answers(Answer(vendor.fills(FILLED)))
        replies = await asyncio.gather(
            *(model.ask(Reading, f"Read it as reader {number}.", TEXT) for number in range(40)),
            model.ask(Topics, INSTRUCTIONS, TEXT),
        )

    assert [reply.value for reply in replies] == [*[READING] * 40, Topics(topics=["order"])]
    assert len({json.dumps(request.body["messages"]) for request in server.requests}) == 41


@pytest.mark.parametrize("setting", ["openai:gpt-5-mini", "anthropic:claude-haiku-5-5"])
async def test_a_model_that_takes_no_temperature_is_sent_none(setting: str) -> None:
    vendor = replace(VENDORS[setting.partition(":")[0]], model=setting)
    async with served(vendor) as (model, server):
        server.answers(Answer(vendor.fills(FILLED)))
        reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert reply.value == READING
    assert "temperature" not in server.requests[0].body


async def test_a_model_that_cannot_be_made_to_call_a_tool_is_bound_to_the_schema() -> None:
    vendor = replace(VENDORS["anthropic"], model="anthropic:claude-sonnet-5-5")
    async with served(vendor) as (model, server):
        server.answers(Answer(vendor.says(json.dumps(FILLED))))
        reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert reply.value == READING
    assert server.requests[0].body["output_config"]["format"]["type"] == "json_schema"


async def test_openai_is_told_to_keep_nothing() -> None:
    for name, sent in (("openai", {"store": False}), ("a server like OpenAI's", {})):
        async with served(VENDORS[name]) as (model, server):
            server.answers(Answer(VENDORS[name].fills(FILLED)))
            await model.ask(Reading, INSTRUCTIONS, TEXT)
        assert {key: value for key, value in server.requests[0].body.items() if key == "store"} == sent


async def test_a_server_of_ones_own_is_not_shown_the_key_for_openai(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-for-openai-only")
    vendor = VENDORS["a server like OpenAI's"]
    async with served(vendor, key=None) as (model, server):
        server.answers(Answer(vendor.fills(FILLED)))
        reply = await model.ask(Reading, INSTRUCTIONS, TEXT)

    assert reply.value == READING
    assert "sk-for-openai-only" not in server.requests[0].head


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (LanguageModel(model="gpt-5.1"), "gpt-5.1 cannot be set up: it is to be written with its vendor"),
        (LanguageModel(model="openai:"), "openai: cannot be set up: it is to be written with its vendor"),
        (LanguageModel(model="nobody:model"), "nobody:model cannot be set up: no vendor is known as nobody"),
        (LanguageModel(model="openai:gpt-5.1"), "needs an API key. It is set by .*CONCIERGE_LLM__KEY"),
        (
            LanguageModel(model="anthropic:claude-haiku-4-5"),
            "needs an API key. It is set by .*CONCIERGE_LLM__KEY",
        ),
        (
            LanguageModel(model="google:gemini-2.5-flash"),
            "needs an API key. It is set by .*CONCIERGE_LLM__KEY",
        ),
        (LanguageModel(model="openai:gpt-5.1", key=SecretStr("sk-1\n")), "a character that no key has"),
        (LanguageModel(model="groq:llama-3.3", key=SecretStr("key")), "install the `groq` package"),
        (
            LanguageModel(
                model="deepseek:chat", key=SecretStr("key"), url=HttpUrl("http://localhost:8080/v1")
            ),
            "where it speaks as OpenAI does, write openai:",
        ),
        (LanguageModel(model="gateway/openai:gpt-5.1", key=SecretStr("key")), "CONCIERGE_LLM__URL"),
        (LanguageModel(model="test"), "test cannot be set up"),
    ],
    ids=lambda value: value.model if isinstance(value, LanguageModel) else None,
)
def test_a_model_that_cannot_be_set_up_says_what_is_missing(
    settings: LanguageModel, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (
        "OPENAI_API_KEY",
        "ANTHROPIC_API_KEY",
        "GOOGLE_API_KEY",
        "GEMINI_API_KEY",
        "OPENAI_BASE_URL",
    ):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UnavailableError, match=sentence) as caught:
        create_structured_model(settings)
    assert caught.value.code == "language_model_misconfigured"


def test_ollama_needs_no_key_and_no_address() -> None:
    model = create_structured_model(LanguageModel(model="ollama:llama3.2"))
    assert model is not None
    assert model.name == "ollama:llama3.2"


def test_without_a_model_nothing_of_the_vendors_is_loaded() -> None:
    code = (
        "import sys; from concierge.kit.settings import LanguageModel\n"
        "from concierge.llm.structured import create_structured_model\n"
        "assert create_structured_model(LanguageModel()) is None\n"
        "assert create_structured_model(LanguageModel(model='')) is None\n"
        "sys.exit('pydantic_ai' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
