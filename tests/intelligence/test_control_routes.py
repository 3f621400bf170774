"""Rules, attributes and settings over HTTP: what is taken, what is refused and why, and nobody else's is touched."""

from typing import Any

import pytest

from concierge.accounts.scope import Role, Unit
from concierge.intelligence.schemas.control import MOST_ATTRIBUTES, MOST_RULES, RuleIn
from concierge.intelligence.service import RuleService
from tests.accounts.people import signed_in_as
from tests.factories.furnished import Furnished
from tests.factories.tenants import Tenant
from tests.intelligence.guiding import ATTRIBUTE, RULE, attribute_with, call, rule_with, told

pytestmark = pytest.mark.anyio

NO_CONDITION = {
    "phrases": [],
    "page_contains": None,
    "intent": None,
    "emotion": None,
    "urgency_at_least": None,
    "language": None,
}
NO_EFFECT = dict.fromkeys(
    ("dimension", "set_to", "raise_to", "add_topic", "add_pain_point", "add_action"), None
)


async def test_a_rule_reads_back_as_it_was_written(tenant: Tenant) -> None:
    rule = await rule_with(tenant)

    assert rule["when"] == {**NO_CONDITION, **RULE["when"]}
    assert rule["then"] == {**NO_EFFECT, **RULE["then"]}
    assert (rule["name"], rule["enabled"]) == ("Outages", True)
    assert (await call(tenant, "GET", "/rules")).json() == [rule]


async def test_rules_are_listed_in_the_order_they_are_looked_at(tenant: Tenant) -> None:
    made = [await rule_with(tenant, name=f"Rule {number}") for number in range(3)]

    assert (await call(tenant, "GET", "/rules")).json() == made


async def test_a_changed_rule_keeps_what_is_left_out(tenant: Tenant) -> None:
    rule = await rule_with(tenant)

    changed = await call(tenant, "PATCH", f"/rules/{rule['id']}", {"enabled": False, "name": None})
    replaced = await call(tenant, "PATCH", f"/rules/{rule['id']}", {"when": {"intent": "complaint"}})

    assert changed.json() == {**rule, "enabled": False, "updated_at": changed.json()["updated_at"]}
    assert changed.json()["updated_at"] > rule["updated_at"]
    assert replaced.json()["when"] == {**NO_CONDITION, "intent": "complaint"}
    assert replaced.json()["then"] == rule["then"]


async def test_a_deleted_rule_is_gone(tenant: Tenant) -> None:
    rule = await rule_with(tenant)

    assert (await call(tenant, "DELETE", f"/rules/{rule['id']}")).status_code == 204
    assert (await call(tenant, "GET", "/rules")).json() == []
    assert told(await call(tenant, "DELETE", f"/rules/{rule['id']}")) == (404, "rule_not_found")


WRONG_RULES: dict[str, tuple[dict[str, Any], str]] = {
    "no condition": ({"when": {}}, "at least one condition"),
    "no phrase": ({"when": {"phrases": []}}, "at least one condition"),
    "a phrase without a word": ({"when": {"phrases": ["?!"]}}, "a word or an emoji"),
    "an empty phrase": ({"when": {"phrases": [" "]}}, "at least 1 character"),
    "a long phrase": ({"when": {"phrases": ["x" * 101]}}, "at most 100 characters"),
    "NUL in a phrase": ({"when": {"phrases": ["a\x00b"]}}, "NUL"),
    "many phrases": ({"when": {"phrases": [f"word {n}" for n in range(21)]}}, "at most 20 items"),
    "a condition nobody knows": ({"when": {"phrases": ["a"], "emotoin": "angry"}}, "emotoin"),
    "an unknown emotion": ({"when": {"emotion": "sad"}}, "'frustrated'"),
    "an unknown intent": ({"when": {"intent": "chat"}}, "'information_seeking'"),
    "an unknown urgency": ({"when": {"urgency_at_least": "max"}}, "'critical'"),
    "a language by its name": ({"when": {"language": "German"}}, "[a-z]{2}"),
    "nothing to do": ({"then": {}}, "exactly one thing"),
    "a dimension alone": ({"then": {"dimension": "urgency_level"}}, "exactly one thing"),
    "two things to do": ({"then": {"add_topic": "a", "add_action": "answer"}}, "exactly one thing"),
    "a value without its dimension": ({"then": {"set_to": "angry"}}, "must name a `dimension`"),
    "a dimension too many": (
        {"then": {"dimension": "key_topics", "add_topic": "a"}},
        "must name a `dimension`",
    ),
    "a mood that is raised": (
        {"then": {"dimension": "emotional_state", "raise_to": "high"}},
        "only `urgency_level` can be raised",
    ),
    "an unknown action": ({"then": {"add_action": "dance"}}, "'answer'"),
    "an effect nobody knows": ({"then": {"add_topic": "a", "stop": True}}, "stop"),
    "no name": ({"name": " "}, "at least 1 character"),
    "a long name": ({"name": "x" * 121}, "at most 120 characters"),
}


@pytest.mark.parametrize("wrong", WRONG_RULES)
async def test_a_wrong_rule_is_refused_with_a_reason(wrong: str, shop: Furnished) -> None:
    body, reason = WRONG_RULES[wrong]
    before = (await call(shop.tenant, "GET", "/rules")).json()

    for method, path, sent in (
        ("POST", "/rules", {**RULE, **body}),
        ("PATCH", f"/rules/{shop.ids['rule_id']}", body),
    ):
        refused = await call(shop.tenant, method, path, sent)
        assert told(refused) == (422, "invalid_input")
        assert reason in refused.json()["detail"]
    assert (await call(shop.tenant, "GET", "/rules")).json() == before


async def test_the_most_that_a_rule_may_hold_is_taken(tenant: Tenant) -> None:
    phrases = [f"{number:02}{'x' * 98}" for number in range(20)]

    rule = await rule_with(tenant, when={"phrases": phrases})

    assert rule["when"]["phrases"] == phrases


@pytest.mark.parametrize(
    ("then", "code", "named"),
    [
        ({"dimension": "emotional_state", "set_to": "sad"}, "value_not_allowed", "frustrated, excited"),
        ({"dimension": "urgency_level", "set_to": "angry"}, "value_not_allowed", "critical, high"),
        ({"dimension": "customer_kind", "set_to": "Trade"}, "value_not_allowed", "trade, private, unknown"),
        ({"dimension": "key_topics", "set_to": "a"}, "dimension_unknown", "customer_kind"),
        ({"dimension": "shoe_size", "set_to": "43"}, "dimension_unknown", "emotional_state, urgency_level"),
    ],
)
async def test_a_rule_sets_only_what_there_is(
    then: dict[str, str], code: str, named: str, tenant: Tenant
) -> None:
    await attribute_with(tenant)
    rule = await rule_with(tenant)

    for method, path in (("POST", "/rules"), ("PATCH", f"/rules/{rule['id']}")):
        refused = await call(tenant, method, path, {**RULE, "then": then})
        assert told(refused) == (422, code)
        assert named in refused.json()["detail"]


async def test_a_rule_cannot_set_a_strangers_attribute(tenant: Tenant, stranger: Tenant) -> None:
    await attribute_with(stranger)
    body = {**RULE, "then": {"dimension": "customer_kind", "set_to": "trade"}}

    refused = await call(tenant, "POST", "/rules", body)

    assert told(refused) == (422, "dimension_unknown")
    assert "customer_kind" not in refused.json()["detail"].split("There are:")[1]


async def test_there_are_only_so_many_rules(tenant: Tenant, stranger: Tenant) -> None:
    async with tenant.platform.guidance.changing(tenant.scope) as unit:
        for _ in range(MOST_RULES):
            await RuleService(unit).create(RuleIn.model_validate(RULE))

    refused = await call(tenant, "POST", "/rules", RULE)

    assert told(refused) == (409, "too_many_rules")
    assert "200" in refused.json()["detail"]
    await rule_with(stranger)


async def test_an_attribute_reads_back_as_it_was_written(tenant: Tenant) -> None:
    attribute = await attribute_with(tenant)

    values = [{"description": "", "phrases": [], **value} for value in ATTRIBUTE["values"]]
    assert {name: attribute[name] for name in ATTRIBUTE} == {**ATTRIBUTE, "values": values}
    assert (await call(tenant, "GET", "/attributes")).json() == [attribute]


async def test_a_changed_attribute_keeps_what_is_left_out(tenant: Tenant) -> None:
    attribute = await attribute_with(tenant)
    values = [{"value": "one", "description": "", "phrases": []}, {**attribute["values"][0]}]

    renamed = await call(tenant, "PATCH", f"/attributes/{attribute['id']}", {"name": "kind_of_customer"})
    changed = await call(tenant, "PATCH", f"/attributes/{attribute['id']}", {"values": values})

    assert renamed.json()["values"] == attribute["values"]
    assert (changed.json()["name"], changed.json()["values"]) == ("kind_of_customer", values)


async def test_a_deleted_attribute_is_gone(tenant: Tenant) -> None:
    attribute = await attribute_with(tenant)

    assert (await call(tenant, "DELETE", f"/attributes/{attribute['id']}")).status_code == 204
    assert (await call(tenant, "GET", "/attributes")).json() == []
    assert told(await call(tenant, "DELETE", f"/attributes/{attribute['id']}")) == (
        404,
        "attribute_not_found",
    )


def valued(*values: Any) -> dict[str, Any]:
    return {"values": [{"value": value} if isinstance(value, str) else value for value in values]}


WRONG_ATTRIBUTES: dict[str, tuple[dict[str, Any], str]] = {
    "a built-in name": ({"name": "urgency_level"}, "read of every message already"),
    "a built-in part": ({"name": "language"}, "read of every message already"),
    "a name of two words": ({"name": "customer kind"}, "pattern"),
    "a name in capitals": ({"name": "CustomerKind"}, "pattern"),
    "a name that begins with a digit": ({"name": "2nd"}, "pattern"),
    "a long name": ({"name": "x" * 41}, "at most 40 characters"),
    "one value": (valued("a"), "at least 2 items"),
    "many values": (valued(*(f"value {n}" for n in range(13))), "at most 12 items"),
    "the same value twice": (valued("Trade", "trade"), "no two values"),
    "unknown as a value": (valued("a", "Unknown"), "need not be listed"),
    "a long description": (valued("a", {"value": "b", "description": "x" * 501}), "at most 500 characters"),
    "many phrases": (
        valued("a", {"value": "b", "phrases": [f"word {n}" for n in range(11)]}),
        "at most 10 items",
    ),
    "something nobody knows": (valued("a", {"value": "b", "phrase": "c"}), "phrase"),
}


@pytest.mark.parametrize("wrong", WRONG_ATTRIBUTES)
async def test_a_wrong_attribute_is_refused_with_a_reason(wrong: str, shop: Furnished) -> None:
    body, reason = WRONG_ATTRIBUTES[wrong]
    before = (await call(shop.tenant, "GET", "/attributes")).json()

    for method, path, sent in (
        ("POST", "/attributes", {**ATTRIBUTE, **body}),
        ("PATCH", f"/attributes/{shop.ids['attribute_id']}", body),
    ):
        refused = await call(shop.tenant, method, path, sent)
        assert told(refused) == (422, "invalid_input")
        assert reason in refused.json()["detail"]
    assert (await call(shop.tenant, "GET", "/attributes")).json() == before


async def test_a_name_is_taken_within_an_organization_only(tenant: Tenant, stranger: Tenant) -> None:
    await attribute_with(tenant)
    await attribute_with(stranger)
    other = await attribute_with(tenant, name="other")

    again = await call(tenant, "POST", "/attributes", ATTRIBUTE)
    renamed = await call(tenant, "PATCH", f"/attributes/{other['id']}", {"name": ATTRIBUTE["name"]})

    assert told(again) == told(renamed) == (409, "attribute_name_taken")


async def test_there_are_only_so_many_attributes(tenant: Tenant) -> None:
    for number in range(MOST_ATTRIBUTES):
        await attribute_with(tenant, name=f"attribute_{number}")

    assert told(await call(tenant, "POST", "/attributes", ATTRIBUTE)) == (409, "too_many_attributes")


async def test_what_a_rule_sets_is_not_taken_away_under_it(tenant: Tenant) -> None:
    attribute = await attribute_with(tenant)
    path = f"/attributes/{attribute['id']}"
    rule = await rule_with(tenant, name="Traders", then={"dimension": "customer_kind", "set_to": "trade"})
    without = {"values": [{"value": "private"}, {"value": "press"}]}

    for method, body in (("DELETE", None), ("PATCH", without), ("PATCH", {"name": "another"})):
        refused = await call(tenant, method, path, body)
        assert told(refused) == (409, "attribute_in_use")
        assert "“Traders”" in refused.json()["detail"]
    with_trade = {"values": [{"value": "trade"}, {"value": "press"}], "name": "customer_kind"}
    assert (await call(tenant, "PATCH", path, with_trade)).status_code == 200
    await call(tenant, "DELETE", f"/rules/{rule['id']}")
    assert (await call(tenant, "DELETE", path)).status_code == 204


async def test_settings_are_those_of_most_until_somebody_changes_them(tenant: Tenant) -> None:
    first = {"opens": "09:00", "closes": "18:00", "llm_allowed": True}
    wanted = {"opens": "22:30", "closes": "06:00", "llm_allowed": False}

    assert (await call(tenant, "GET", "/settings")).json() == first
    await rule_with(tenant)
    assert (await call(tenant, "GET", "/settings")).json() == first
    assert (await call(tenant, "PUT", "/settings", wanted)).json() == wanted
    assert (await call(tenant, "GET", "/settings")).json() == wanted
    assert (await call(tenant, "PUT", "/settings", {})).json() == first
    assert (await call(tenant, "GET", "/settings")).json() == first


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"opens": "9:00"}, "pattern"),
        ({"opens": "24:00"}, "pattern"),
        ({"closes": "24:01"}, "pattern"),
        ({"closes": "18:60"}, "pattern"),
        ({"opens": "09:00\n"}, "pattern"),
        ({"opens": "18:00"}, "00:00 to 24:00"),
        ({"llm_allowed": "perhaps"}, "boolean"),
        ({"opens": None}, "string"),
    ],
)
async def test_wrong_settings_are_refused_with_a_reason(
    body: dict[str, Any], reason: str, shop: Furnished
) -> None:
    refused = await call(shop.tenant, "PUT", "/settings", body)

    assert told(refused) == (422, "invalid_input")
    assert reason in refused.json()["detail"]


async def test_settings_are_an_organizations_own(tenant: Tenant, stranger: Tenant) -> None:
    await call(tenant, "PUT", "/settings", {"opens": "07:00", "llm_allowed": False})

    assert (await call(stranger, "GET", "/settings")).json()["opens"] == "09:00"


@pytest.mark.parametrize("path", ["/rules", "/attributes"])
async def test_a_strangers_row_is_neither_listed_nor_changed_nor_deleted(
    path: str, tenant: Tenant, stranger: Tenant
) -> None:
    row = await (rule_with if path == "/rules" else attribute_with)(tenant)

    assert (await call(stranger, "GET", path)).json() == []
    assert (await call(stranger, "PATCH", f"{path}/{row['id']}", {"name": "mine"})).status_code == 404
    assert (await call(stranger, "DELETE", f"{path}/{row['id']}")).status_code == 404
    assert (await call(tenant, "GET", path)).json() == [row]


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AGENT])
async def test_who_only_reads_sees_what_is_said_and_changes_nothing(role: Role, tenant: Tenant) -> None:
    headers, _ = await signed_in_as(tenant, role)
    rule = await rule_with(tenant)

    assert (await call(tenant, "GET", "/rules", **headers)).json() == [rule]
    for method, path, body in (
        ("POST", "/rules", RULE),
        ("PATCH", f"/rules/{rule['id']}", {"enabled": False}),
        ("DELETE", f"/rules/{rule['id']}", None),
        ("POST", "/attributes", ATTRIBUTE),
        ("PUT", "/settings", {"llm_allowed": False}),
    ):
        assert told(await call(tenant, method, path, body, **headers)) == (403, "permission_missing")
    assert (await call(tenant, "GET", "/rules")).json() == [rule]


async def test_rules_of_a_transaction_that_fails_are_not_kept(tenant: Tenant) -> None:
    with pytest.raises(RuntimeError, match="changed my mind"):
        await _create_and_fail(tenant)

    assert (await call(tenant, "GET", "/rules")).json() == []


async def _create_and_fail(tenant: Tenant) -> Unit:
    async with tenant.platform.guidance.changing(tenant.scope) as unit:
        await RuleService(unit).create(RuleIn.model_validate(RULE))
        raise RuntimeError("changed my mind")
