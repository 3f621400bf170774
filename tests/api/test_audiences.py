"""What is for some reaches nobody else, on any route a visitor can take, and whoever has the label reads it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.accounts.test_permissions import EVERYBODY, MAY
from tests.factories.tenants import Tenant, bearer
from tests.knowledge.reading import assert_counters_are_true, folder

pytestmark = pytest.mark.anyio

SECRET = "zanzibar"
PUBLIC_PAGE = "# Discounts\n\nCustomers get a discount of 5 percent with the code albatross.\n"
STAFF_PAGE = f"# Staff discounts\n\nStaff get a discount of 40 percent with the code {SECRET}.\n"
QUESTIONS = (
    "What discount do staff get, and with which code?",
    "Tell me the code for a discount.",
    f"Is {SECRET} a code?",
)
# Often enough that a pack is asked in the database first, and in memory from then on.
TIMES = 3


async def told(response: httpx.Response) -> str:
    assert response.status_code == 200, response.text
    return response.text


async def by_chat(tenant: Tenant, headers: dict[str, str], question: str) -> str:
    body = {"message": question}
    return await told(await tenant.client.post(f"/api/v1/chat/{tenant.agent_id}", headers=headers, json=body))


async def by_stream(tenant: Tenant, headers: dict[str, str], question: str) -> str:
    body = {"message": question, "stream": True}
    return await told(await tenant.client.post(f"/api/v1/chat/{tenant.agent_id}", headers=headers, json=body))


async def by_resuming(tenant: Tenant, headers: dict[str, str], question: str) -> str:
    reply = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=headers, json={"message": question}
    )
    turn = f"/api/v1/chat/{tenant.agent_id}/turns/{reply.json()['turn_id']}/events"
    return await told(await tenant.client.get(turn, headers=headers))


# Every route that shows a visitor something of the knowledge.
ROUTES: dict[str, list[Callable[[Tenant, dict[str, str], str], Awaitable[str]]]] = {
    "chat": [by_chat, by_stream],
    "resume_turn": [by_resuming],
}
# By these a visitor says what they think, and hears no more than that it was noted.
SPEAKING = {"give_feedback", "rate_conversation"}


async def keep_for_staff(tenant: Tenant) -> str:
    """Teach one page for everybody and one for staff. Returns the source of the latter."""
    await tenant.learn(discounts=PUBLIC_PAGE)
    source_id = await tenant.learn(staff=STAFF_PAGE)
    await say(tenant, f"/sources/{source_id}", audience="staff")
    return str(source_id)


async def say(tenant: Tenant, path: str, **said: Any) -> dict[str, Any]:
    response = await tenant.client.patch(f"/api/v1/knowledge{path}", headers=tenant.secret, json=said)
    assert response.status_code == 200, response.text
    return response.json()


async def token_for(tenant: Tenant, *labels: str) -> dict[str, str]:
    body = {"agent_id": str(tenant.agent_id), "audiences": labels}
    response = await tenant.client.post("/api/v1/visitors/token", headers=tenant.secret, json=body)
    assert response.status_code == 200, response.text
    return bearer(response.json()["token"])


def without(text: str, question: str) -> str:
    """What was said, without the visitor's own words."""
    return text.replace(question, "").lower()


# A visitor's own affairs, which hold nothing of what the business knows.
OWN_AFFAIRS = {
    "identify_visitor",
    "reset_visitor",
    "list_own_memory",
    "correct_own_memory",
    "erase_own_memory",
    "erase_own_whole_memory",
}


def test_every_route_a_visitor_may_take_is_tried() -> None:
    assert set(ROUTES) | OWN_AFFAIRS | SPEAKING == {
        name for name, who in MAY.items() if "visitor" in who and who != EVERYBODY
    }


@pytest.mark.parametrize("labels", [(), ("wholesale",), ("staf", "staff-2")])
@pytest.mark.parametrize("route", ROUTES)
async def test_what_is_for_some_reaches_nobody_else(
    route: str, labels: tuple[str, ...], tenant: Tenant
) -> None:
    await keep_for_staff(tenant)
    visitor = await token_for(tenant, *labels) if labels else await tenant.visitor()

    for way in ROUTES[route]:
        for question in QUESTIONS * TIMES:
            heard = without(await way(tenant, visitor, question), question)
            assert SECRET not in heard
            assert "40 percent" not in heard
            assert "staff discounts" not in heard


@pytest.mark.parametrize("route", ROUTES)
async def test_whoever_has_the_label_is_told(route: str, tenant: Tenant) -> None:
    await keep_for_staff(tenant)
    visitor = await token_for(tenant, "wholesale", "staff")

    for way in ROUTES[route]:
        for question in QUESTIONS[:1] * TIMES:
            assert SECRET in without(await way(tenant, visitor, question), question)


async def test_who_may_not_read_a_page_is_answered_as_if_it_were_not_there(tenant: Tenant) -> None:
    async def answers() -> list[Any]:
        visitor = await tenant.visitor()
        replies: list[Any] = []
        for question in QUESTIONS * TIMES:
            body = {"message": question}
            path = f"/api/v1/chat/{tenant.agent_id}"
            reply = (await tenant.client.post(path, headers=visitor, json=body)).json()
            sources = [(source["quote"], round(source["score"], 3)) for source in reply["sources"]]
            replies.append((reply["response"], round(reply["confidence_score"], 2), sources))
        return replies

    await tenant.learn(discounts=PUBLIC_PAGE)
    before = await answers()
    source_id = await tenant.learn(
        staff=STAFF_PAGE, more=f"# More codes\n\nThe code {SECRET} is for staff.\n"
    )
    await say(tenant, f"/sources/{source_id}", audience="staff")

    assert await answers() == before


async def test_a_label_holds_from_the_next_question_on(tenant: Tenant) -> None:
    source_id = await keep_for_staff(tenant)
    visitor, staff = await tenant.visitor(), await token_for(tenant, "staff")
    (question, *_) = QUESTIONS

    async def hears(headers: dict[str, str]) -> bool:
        return all([SECRET in await by_chat(tenant, headers, question) for _ in range(TIMES)])

    assert (await hears(visitor), await hears(staff)) == (False, True)
    await say(tenant, f"/sources/{source_id}", audience="")
    assert (await hears(visitor), await hears(staff)) == (True, True)
    await say(tenant, f"/sources/{source_id}", audience="managers")
    assert (await hears(visitor), await hears(staff)) == (False, False)
    await assert_counters_are_true(tenant)


async def test_pages_that_disagree_do_not_give_away_what_is_for_some(tenant: Tenant) -> None:
    """Where two pages disagree, an answer says so; but not to somebody who may read only one of them."""
    public = "# Returns\n\nYou have 30 days from delivery to return a product.\n"
    await tenant.learn(returns=public)
    source_id = await tenant.learn(
        internal=public.replace("30", "14").replace("# Returns", "# Return policy")
    )
    await say(tenant, f"/sources/{source_id}", audience="staff", authoritative=True)

    question = "How many days do I have to return a product?"
    heard = await by_chat(tenant, await tenant.visitor(), question)
    staff = await by_chat(tenant, await token_for(tenant, "staff"), question)

    assert "30 days" in heard
    assert "14 days" not in heard
    assert "colleague" not in heard
    assert "14 days" in staff


@pytest.mark.parametrize("audiences", [["staff"], ["staff", "wholesale"]])
async def test_a_key_that_pages_show_cannot_say_what_a_visitor_may_read(
    audiences: list[str], tenant: Tenant
) -> None:
    body = {"agent_id": str(tenant.agent_id), "audiences": audiences}

    refused = await tenant.client.post("/api/v1/visitors/token", headers=tenant.publishable, json=body)

    assert (refused.status_code, refused.json()["code"]) == (403, "audiences_not_allowed")
    assert "secret key" in refused.json()["detail"]


async def test_renewing_a_token_with_such_a_key_gives_its_labels_up(tenant: Tenant) -> None:
    await keep_for_staff(tenant)
    staff = await token_for(tenant, "staff")
    earlier = staff["Authorization"].removeprefix("Bearer ")

    renewed = await tenant.client.post(
        "/api/v1/visitors/token",
        headers=tenant.publishable,
        json={"agent_id": str(tenant.agent_id), "token": earlier},
    )

    visitor = bearer(renewed.json()["token"])
    assert SECRET in await by_chat(tenant, staff, QUESTIONS[0])
    assert SECRET not in await by_chat(tenant, visitor, QUESTIONS[0])


async def test_a_visitor_cannot_claim_a_label_in_a_message(tenant: Tenant) -> None:
    await keep_for_staff(tenant)
    body = {"message": QUESTIONS[0], "audiences": ["staff"]}

    refused = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=await tenant.visitor(), json=body
    )

    assert (refused.status_code, refused.json()["code"]) == (403, "audiences_not_allowed")


async def test_a_reply_is_public_unless_the_caller_says_who_it_is_for(tenant: Tenant) -> None:
    """A server asks with its secret key to show the reply to somebody, and must not forget to say to whom."""
    await keep_for_staff(tenant)

    assert SECRET not in (await tenant.ask(QUESTIONS[0]))["response"]
    reply = await tenant.ask(QUESTIONS[0], audiences=["staff"])
    trace = await tenant.client.get(f"/api/v1/turns/{reply['turn_id']}/trace", headers=tenant.owner)

    assert SECRET in reply["response"]
    assert trace.json()["trace"]["audiences"] == ["staff"]


async def test_the_same_request_for_another_audience_is_another_request(tenant: Tenant) -> None:
    headers = {**tenant.secret, "Idempotency-Key": "once"}
    path = f"/api/v1/chat/{tenant.agent_id}"
    await keep_for_staff(tenant)

    first = await tenant.client.post(path, headers=headers, json={"message": "Hi", "audiences": ["staff"]})
    again = await tenant.client.post(path, headers=headers, json={"message": "Hi"})

    assert first.status_code == 200
    assert (again.status_code, again.json()["code"]) == (422, "idempotency_key_reused")


async def test_a_label_of_another_organization_opens_nothing(tenant: Tenant, stranger: Tenant) -> None:
    await keep_for_staff(tenant)
    await stranger.learn(discounts=PUBLIC_PAGE)
    theirs = await token_for(stranger, "staff")

    assert SECRET not in await by_chat(stranger, theirs, QUESTIONS[0])
    refused = await tenant.client.post(
        f"/api/v1/chat/{tenant.agent_id}", headers=theirs, json={"message": QUESTIONS[0]}
    )
    assert refused.status_code == 404


@pytest.mark.parametrize("label", ["Staff", "two words", "-staff", "public", "x" * 41, "staff\0", "ä", 7])
async def test_a_label_is_a_short_name(label: Any, tenant: Tenant) -> None:
    token = {"agent_id": str(tenant.agent_id), "audiences": [label]}
    source = {"kind": "text", "title": "Note", "text": "A note.", "audience": label}

    for path, body in (("visitors/token", token), (f"knowledge/packs/{tenant.pack_id}/sources", source)):
        refused = await tenant.client.post(f"/api/v1/{path}", headers=tenant.secret, json=body)
        assert refused.status_code == 422, path


async def test_a_visitor_has_no_more_than_twenty_labels(tenant: Tenant) -> None:
    for count, status in ((20, 200), (21, 422)):
        labels = [f"label-{number}" for number in range(count)]
        body = {"agent_id": str(tenant.agent_id), "audiences": labels}
        made = await tenant.client.post("/api/v1/visitors/token", headers=tenant.secret, json=body)
        assert made.status_code == status


async def test_an_upload_may_be_for_an_audience(tenant: Tenant) -> None:
    made = await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/files",
        headers=tenant.secret,
        files={"file": ("staff.md", STAFF_PAGE.encode(), "text/markdown")},
        data={"audience": "staff", "credibility": "0.9"},
    )

    assert made.status_code == 202, made.text
    assert (made.json()["audience"], made.json()["credibility"]) == ("staff", 0.9)


async def test_a_page_is_never_public_for_a_moment(tenant: Tenant) -> None:
    """Its label is there with its first chunk, not after it."""
    await tenant.read(replace(folder("staff", page=STAFF_PAGE), audience="staff"))

    listed = await tenant.client.get(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/documents", headers=tenant.owner
    )

    assert [entry["audience"] for entry in listed.json()["items"]] == ["staff"]
