"""Language models as writers: the vendors' own clients against a server that streams as the vendors do."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import httpx2
import pytest
from pydantic import BaseModel, SecretStr

from concierge.kit.errors import UnavailableError
from concierge.llm.guarded import GuardedTransport
from concierge.llm.prices import Price
from concierge.llm.structured import ModelAddress
from concierge.llm.writing import (
    CalledTool,
    Discarded,
    Finished,
    ModelFailedError,
    Request,
    TextModel,
    Tokens,
    Tool,
    WritingEvent,
    Wrote,
    create_text_model,
)
from tests.llm.language_vendors import KEY
from tests.llm.streaming_vendors import WIRES, Streamed, Wire, streaming

pytestmark = pytest.mark.anyio

REQUEST = Request("You are Ada.", "What is a chair?", max_tokens=200, total_tokens=10_000)
PIECES = ("A chair ", "costs $129 ", "[1].")


class Lookup(BaseModel):
    item: str
    count: int = 1


@pytest.fixture(params=list(WIRES))
def wire(request: pytest.FixtureRequest) -> Wire:
    return WIRES[request.param]


async def written(model: TextModel, request: Request = REQUEST) -> list[WritingEvent]:
    return [event async for event in model.write(request)]


def looking_up(asked: list[Lookup]) -> Tool:
    async def look_up(arguments: Lookup) -> str:
        asked.append(arguments)
        return f"{arguments.item}: $129"

    return Tool("look_up", "Look a price up.", Lookup, look_up)


async def test_words_come_as_the_vendor_sends_them(wire: Wire) -> None:
    async with streaming(wire, Streamed(wire.text(PIECES))) as (model, server):
        events = await written(model)

    assert events == [*map(Wrote, PIECES), Finished("".join(PIECES), Tokens(11, 7))]
    asked = str(server.requests[0].body)
    assert "You are Ada." in asked
    assert "What is a chair?" in asked
    assert KEY in server.requests[0].head


async def test_a_tool_is_called_and_its_result_written_about(wire: Wire) -> None:
    asked: list[Lookup] = []
    call = Streamed(wire.call("look_up", {"item": "Kelapa chair", "count": 3}))
    async with streaming(wire, call, Streamed(wire.text(PIECES))) as (model, server):
        events = await written(model, replace(REQUEST, tools=(looking_up(asked),)))

    assert asked == [Lookup(item="Kelapa chair", count=3)]
    assert events == [
        CalledTool("look_up", refused=False),
        *map(Wrote, PIECES),
        Finished("".join(PIECES), Tokens(22, 14)),
    ]
    assert "Kelapa chair: $129" in str(server.requests[1].body)


async def test_arguments_that_do_not_fit_are_refused_and_the_model_told(wire: Wire) -> None:
    asked: list[Lookup] = []
    call = Streamed(wire.call("look_up", {"count": "many"}))
    async with streaming(wire, call, Streamed(wire.text(PIECES))) as (model, server):
        events = await written(model, replace(REQUEST, tools=(looking_up(asked),)))

    assert asked == []
    assert events[0] == CalledTool("look_up", refused=True)
    assert "The arguments do not fit: item: Field required" in str(server.requests[1].body)


async def test_words_on_the_way_to_a_tool_are_no_part_of_the_answer() -> None:
    wire = WIRES["google"]
    both = b"".join(wire.text(["Let me look."])).replace(b'"finishReason": "STOP"', b'"index": 0')
    call = Streamed([both, *wire.call("look_up", {"item": "chair"})])
    async with streaming(wire, call, Streamed(wire.text(PIECES))) as (model, _):
        events = await written(model, replace(REQUEST, tools=(looking_up([]),)))

    assert events[:3] == [Wrote("Let me look."), Discarded(), CalledTool("look_up", refused=False)]
    assert events[-1] == Finished("".join(PIECES), Tokens(22, 14))


async def test_a_model_that_never_stops_calling_tools_is_stopped(wire: Wire) -> None:
    asked: list[Lookup] = []
    call = Streamed(wire.call("look_up", {"item": "chair"}))
    async with streaming(wire, call) as (model, server):
        with pytest.raises(ModelFailedError) as failed:
            await written(model, replace(REQUEST, tools=(looking_up(asked),)))

    assert (failed.value.kind, len(server.requests)) == ("spent", 4)
    assert failed.value.tokens == Tokens(44, 28)


async def test_an_answer_that_takes_more_tokens_than_allowed_is_broken_off(wire: Wire) -> None:
    call = Streamed(wire.call("look_up", {"item": "chair"}))
    async with streaming(wire, call) as (model, server):
        with pytest.raises(ModelFailedError) as failed:
            await written(model, replace(REQUEST, tools=(looking_up([]),), total_tokens=20))

    assert failed.value.kind == "spent"
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "refused"),
        (401, "refused"),
        (403, "refused"),
        (404, "refused"),
        (429, "limited"),
        (500, "unavailable"),
        (503, "unavailable"),
    ],
)
async def test_a_vendors_refusal_is_named_and_not_tried_again(wire: Wire, status: int, kind: str) -> None:
    body = str(wire.vendor.fails(status)).replace("'", '"').replace("None", "null").encode()
    headers = "Retry-After: 7\r\n" if status == 429 else ""
    async with streaming(wire, Streamed([body], status, headers)) as (model, server):
        with pytest.raises(ModelFailedError) as failed:
            await written(model)

    assert (failed.value.kind, len(server.requests)) == (kind, 1)
    assert failed.value.retry_after_s == (7 if status == 429 else None)


async def listen(model: TextModel, heard: list[WritingEvent]) -> None:
    """Keep what is heard also where it breaks off."""
    stream = model.write(REQUEST)
    while (event := await anext(stream, None)) is not None:
        heard.append(event)


def cut(chunks: Sequence[bytes]) -> int:
    return next(number for number, chunk in enumerate(chunks) if b"$129" in chunk) + 1


async def test_a_stream_that_breaks_off_is_a_failure_not_an_answer(wire: Wire) -> None:
    chunks = wire.text(PIECES)
    async with streaming(wire, Streamed(chunks, dropped_after=cut(chunks))) as (model, _):
        events: list[WritingEvent] = []
        with pytest.raises(ModelFailedError) as failed:
            await listen(model, events)

    assert events == [Wrote(PIECES[0]), Wrote(PIECES[1])]
    assert failed.value.kind == "unavailable"


async def test_a_stream_of_rubbish_is_a_failure(wire: Wire) -> None:
    async with streaming(wire, Streamed([b"data: {no json}\n\n"])) as (model, _):
        with pytest.raises(ModelFailedError) as failed:
            await written(model)

    assert failed.value.kind in {"malformed", "unavailable"}


async def test_silence_before_the_first_word_is_not_waited_out(wire: Wire) -> None:
    async with streaming(wire, Streamed(wire.text(PIECES), stalls_after=0)) as (model, server):
        began = time.monotonic()
        with pytest.raises(ModelFailedError) as failed:
            await written(model, replace(REQUEST, first_word_s=0.3))
        async with asyncio.timeout(5):
            await server.left.wait()

    assert failed.value.kind == "late"
    assert time.monotonic() - began < 3


async def test_silence_in_the_middle_is_not_waited_out(wire: Wire) -> None:
    chunks = wire.text(PIECES)
    async with streaming(wire, Streamed(chunks, stalls_after=cut(chunks))) as (model, _):
        with pytest.raises(ModelFailedError) as failed:
            await written(model, replace(REQUEST, silence_s=0.3))

    assert failed.value.kind == "late"


async def test_a_model_that_dribbles_for_ever_is_broken_off(wire: Wire) -> None:
    chunks = wire.text(["a "] * 200)
    async with streaming(wire, Streamed(chunks, pauses_s=0.05)) as (model, _):
        with pytest.raises(ModelFailedError) as failed:
            await written(model, replace(REQUEST, whole_s=0.6))

    assert failed.value.kind == "late"


async def test_who_leaves_hangs_up_on_the_vendor(wire: Wire) -> None:
    chunks = wire.text(PIECES)
    async with streaming(wire, Streamed(chunks, stalls_after=cut(chunks))) as (model, server):
        stream = model.write(REQUEST)
        await anext(stream)
        await stream.aclose()
        async with asyncio.timeout(5):
            await server.left.wait()


async def test_the_key_is_in_no_log_and_no_error(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    body = f'{{"error": {{"message": "bad key {KEY}", "type": "error"}}}}'.encode()
    async with streaming(wire, Streamed([body], 401)) as (model, _):
        with pytest.raises(ModelFailedError) as failed:
            await written(model)

    logged = capsys.readouterr()
    assert "wrote no answer" in logged.out
    assert KEY not in logged.out + logged.err + str(failed.value) + repr(model)


@pytest.mark.parametrize("url", [None, "https://models.example.com/v1"])
def test_a_tenants_model_never_uses_the_servers_own_key(
    url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-servers-own")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-the-servers-own")
    for name in ("openai:gpt-5.1", "anthropic:claude-haiku-4-5"):
        with pytest.raises(UnavailableError, match="needs an API key"):
            create_text_model(ModelAddress(name, None, url, guarded=True))


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://inside.example.com/v1", ["10.0.0.7"]),
        ("https://meta.example.com/v1", ["169.254.169.254"]),
        ("https://mixed.example.com/v1", ["93.184.216.34", "127.0.0.1"]),
        ("https://nowhere.example.com/v1", []),
        ("http://plain.example.com/v1", ["93.184.216.34"]),
    ],
)
async def test_a_tenants_model_is_only_looked_for_on_the_public_internet(
    url: str, addresses: list[str]
) -> None:
    async def resolve(_host: str, _port: int) -> Sequence[str]:
        return addresses

    async with httpx2.AsyncClient(transport=GuardedTransport(httpx2.Limits(), resolve)) as client:
        with pytest.raises(httpx2.TransportError):
            await client.post(f"{url}/chat/completions", json={})


async def test_a_guarded_model_at_a_private_address_is_unavailable() -> None:
    address = ModelAddress("openai:qwen3", SecretStr(KEY), "https://127.0.0.1:9/v1", guarded=True)
    with pytest.raises(ModelFailedError) as failed:
        await written(create_text_model(address))

    assert failed.value.kind == "unavailable"


@pytest.mark.parametrize(
    ("address", "cost"),
    [
        (ModelAddress("openai:gpt-5.1"), 1_250 + 5_000),
        (ModelAddress("google:gemini-2.5-flash"), 300 + 1_250),
        (ModelAddress("ollama:llama3.2"), 0),
        (ModelAddress("openai:gpt-5.1", url="https://models.example.com/v1"), None),
        (ModelAddress("openai:a-model-of-tomorrow"), None),
    ],
)
def test_what_tokens_cost_is_known_or_said_to_be_unknown(address: ModelAddress, cost: int | None) -> None:
    price = Price.listed(address)

    assert (price and price.of(Tokens(1_000, 500))) == (None if cost is None else price and cost)
    assert (price is None) == (cost is None)
