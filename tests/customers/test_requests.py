"""What people ask of what is remembered of them, and that it is done."""

from uuid import UUID

import pytest

from concierge.customers.requests import REPLIES, memory_request, reply_to, spoken
from tests.customers.remembering import DAY, NOON, Guest, a_guest
from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

ASKED = {
    "know": [
        "What do you know about me?",
        "what do you remember about me",
        "Hi, could you tell me what you know about me please?",
        "Tell me everything you have stored about me",
        "What data do you have about me?",
        "Do you remember me?",
        "Was weißt du über mich?",
        "Was haben Sie über mich gespeichert?",
    ],
    "forget_all": [
        "Forget everything about me",
        "please forget everything you know about me",
        "Delete all my data",
        "Can you erase everything you have stored about me?",
        "forget me",
        "Vergiss alles über mich",
        "Lösche alles, was du über mich weißt",
    ],
    "forget_that": [
        "Forget that",
        "please forget that.",
        "forget what I just said",
        "Forget that I have a dog",
        "Forget my budget",
        "Vergiss das wieder",
    ],
    "keep_out": ["Don't remember that", "please don’t store this", "Merk dir das nicht"],
    "correct": [
        "That's wrong, I live in Hamburg",
        "No, that is not true: we have two dogs",
        "Das ist falsch, ich wohne in Hamburg",
    ],
}
OTHERS = [
    "forget it, how much is the sofa?",
    "Forget it",
    "I forgot my password",
    "What do you know about sofas?",
    "That's wrong",
    "That's wrong, the price was $20",
    "Delete my order",
    "Delete my account",
    "Don't forget to send the invoice",
    "do you remember when the shop opens?",
    "What do you have?",
    "forget that, what about the red one?",
    "Can you remember that I like red?",
    "",
    "forget everything about me " * 50,
]


@pytest.mark.parametrize(
    ("kind", "message"), [(kind, message) for kind, own in ASKED.items() for message in own]
)
def test_a_request_is_recognised(kind: str, message: str) -> None:
    request = memory_request(message)

    assert request is not None
    assert request.kind == kind


@pytest.mark.parametrize("message", OTHERS)
def test_other_messages_are_none(message: str) -> None:
    assert memory_request(message) is None


def test_a_request_says_what_it_is_about() -> None:
    named, corrected = (
        memory_request("Forget that I have a dog"),
        memory_request("That's wrong, I live in Hamburg"),
    )

    assert named is not None
    assert corrected is not None
    assert named.about == "have a dog"
    assert corrected.statement == "I live in Hamburg"


def test_what_is_known_is_said_to_whom_it_is_about() -> None:
    assert spoken("wants a sofa under $900") == "you want a sofa under $900"
    assert spoken("is vegan") == "you are vegan"
    assert spoken("has two cats") == "you have two cats"
    assert spoken("wohnt in Hamburg") == "wohnt in Hamburg"


@pytest.mark.parametrize("language", REPLIES)
def test_every_reply_is_there_in_every_language_and_varies(language: str) -> None:
    assert set(REPLIES[language]) == set(REPLIES["en"])
    for kind in REPLIES[language]:
        assert "{" not in reply_to(kind, language, ["is vegan"], seed="x")
    assert len({reply_to("known", language, seed=str(number)) for number in range(30)}) > 1


def test_a_long_list_is_cut() -> None:
    text = reply_to("known", "en", [f"likes {number}" for number in range(30)])

    assert text.count("you like") == 12
    assert "and 18 more" in text


@pytest.fixture
async def guest(tenant: Tenant) -> Guest:
    return await a_guest(tenant)


async def asks(guest: Guest, message: str, conversation_id: UUID | None = None) -> str:
    request = memory_request(message)
    assert request is not None
    return await guest.tenant.platform.memory_requests.answer(
        guest.tenant.scope, guest.customer_id, request, conversation_id=conversation_id
    )


async def test_who_asks_is_told_all_of_it(guest: Guest) -> None:
    await guest.says("We are vegan and live in Berlin. I'm looking for a sofa under $900.")

    reply = await asks(guest, "What do you know about me?")

    for value in ("you are vegan", "you want a sofa under $900"):
        assert f"- {value}" in reply
    assert "forget" in reply.lower()


async def test_who_is_not_known_is_told_so(guest: Guest) -> None:
    assert "nothing" in await asks(guest, "What do you know about me?")


async def test_that_is_what_was_said_last(guest: Guest) -> None:
    await guest.says("We are vegan.")
    await guest.says("I live in Berlin.", at=NOON + DAY)

    reply = await asks(guest, "Forget that")

    assert "you live in Berlin" in reply
    assert await guest.history() == [("is vegan", True)]


async def test_what_is_named_is_forgotten(guest: Guest) -> None:
    await guest.says("We have a dog. We are vegan.")

    await asks(guest, "Forget that I have a dog")

    assert await guest.facts() == {"is vegan"}
    assert "nothing" in (await asks(guest, "Forget that I have a parrot")).lower()


async def test_everything_is_forgotten_even_what_waits_to_be_remembered(guest: Guest) -> None:
    await guest.says("We are vegan.")
    waiting, _ = await guest.says("I live in Berlin.", remembered=False)

    await asks(guest, "Forget everything about me")
    await guest.tenant.platform.remembering.run(guest.tenant.scope, waiting)

    assert await guest.history() == []
    assert (await guest.recalled("vegan")).summaries == ()


async def test_what_is_not_to_be_kept_is_not_even_if_it_waits(guest: Guest) -> None:
    waiting, conversation_id = await guest.says("I live in Berlin.", remembered=False)

    await asks(guest, "Don't remember that", conversation_id)
    await guest.tenant.platform.remembering.run(guest.tenant.scope, waiting)

    assert await guest.history() == []


async def test_what_was_wrong_is_erased_and_what_is_right_stands(guest: Guest) -> None:
    await guest.says("I live in Berlin.")

    reply = await asks(guest, "That's wrong, I live in Hamburg")

    assert "you live in Hamburg" in reply
    assert await guest.history() == [("lives in Hamburg", True)]


async def test_asking_to_forget_is_not_remembered(guest: Guest) -> None:
    await guest.says("Forget that I have a dog")

    assert await guest.history() == []
