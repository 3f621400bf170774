"""Who may do what: every kind of caller on every route."""

import httpx
import pytest

from concierge.kit.ids import new_id
from tests.api.operations import Operation, operations

pytestmark = pytest.mark.anyio

OWNERS = {"owner"}
MANAGERS = OWNERS | {"admin"}
BUILDERS = MANAGERS | {"secret"}
READERS = BUILDERS | {"agent", "viewer"}
WORKERS = BUILDERS | {"agent"}
CHATTERS = BUILDERS | {"agent", "visitor"}
KEY_HOLDERS = BUILDERS | {"agent", "publishable"}
EVERYBODY = READERS | CHATTERS | KEY_HOLDERS | {"nobody"}

MAY: dict[str, set[str]] = {
    "sign_up": EVERYBODY,
    "login": EVERYBODY,
    "refresh": EVERYBODY,
    "logout": EVERYBODY,
    "is_alive": EVERYBODY,
    "is_ready": EVERYBODY,
    "me": READERS,
    "list_members": MANAGERS,
    "add_member": MANAGERS,
    "change_member_role": MANAGERS,
    "remove_member": MANAGERS,
    "list_api_keys": MANAGERS,
    "create_api_key": MANAGERS,
    "revoke_api_key": MANAGERS,
    "read_audit_log": MANAGERS,
    "list_plans": MANAGERS,
    "get_entitlements": MANAGERS,
    "set_plan": OWNERS,
    "begin_checkout": OWNERS,
    "open_portal": OWNERS,
    "hear_stripe": EVERYBODY,
    "list_agents": READERS,
    "get_agent": READERS,
    "get_agent_strategy": READERS,
    "set_agent_strategy": BUILDERS,
    "get_strategy_defaults": READERS,
    "set_strategy_defaults": BUILDERS,
    **dict.fromkeys(("list_language_models", "get_language_model"), READERS),
    **dict.fromkeys(("add_language_model", "change_language_model", "delete_language_model"), MANAGERS),
    **dict.fromkeys(("try_language_model", "set_writing"), MANAGERS),
    **dict.fromkeys(("get_writing", "get_agent_writing"), READERS),
    "set_agent_writing": BUILDERS,
    **dict.fromkeys(("list_personas", "list_persona_templates", "get_persona"), READERS),
    **dict.fromkeys(("list_persona_versions", "preview_persona"), READERS),
    **dict.fromkeys(("create_persona", "create_persona_from_template", "change_persona"), BUILDERS),
    **dict.fromkeys(("delete_persona", "restore_persona_version", "change_domain_expertise"), BUILDERS),
    "list_customers": READERS,
    "get_customer": READERS,
    "get_customer_settings": READERS,
    "list_merges": READERS,
    "put_customer": WORKERS,
    "change_customer": WORKERS,
    "undo_merge": WORKERS,
    "change_customer_settings": MANAGERS,
    "rotate_identity_secret": MANAGERS,
    "identify_visitor": CHATTERS,
    "reset_visitor": CHATTERS,
    "create_agent": BUILDERS,
    "change_agent": BUILDERS,
    "delete_agent": BUILDERS,
    "list_packs": READERS,
    "get_pack": READERS,
    "list_documents": READERS,
    "get_document": READERS,
    "list_sources": READERS,
    "get_source": READERS,
    "list_items": READERS,
    "search_knowledge": READERS,
    "list_syncs": READERS,
    "watch_source": READERS,
    "export_pack": READERS,
    "list_contradictions": READERS,
    "list_indexes": READERS,
    "get_source_text": READERS,
    "change_source_text": BUILDERS,
    "list_faqs": READERS,
    "get_faq": READERS,
    "create_faq": BUILDERS,
    "change_faq": BUILDERS,
    "delete_faq": BUILDERS,
    "add_feed": BUILDERS,
    "preview_feed": BUILDERS,
    "list_knowledge_packs": READERS,
    "create_pack": BUILDERS,
    "delete_pack": BUILDERS,
    "change_pack": BUILDERS,
    "sync_source": BUILDERS,
    "pause_source": BUILDERS,
    "resume_source": BUILDERS,
    "retry_item": BUILDERS,
    "import_pack": BUILDERS,
    "reindex_pack": BUILDERS,
    "delete_index": BUILDERS,
    "dismiss_contradiction": BUILDERS,
    "reopen_contradiction": BUILDERS,
    "create_knowledge_pack": BUILDERS,
    "add_knowledge_source": BUILDERS,
    "add_source": BUILDERS,
    "upload_file": BUILDERS,
    "cancel_source": BUILDERS,
    "change_source": BUILDERS,
    "change_document": BUILDERS,
    "retry_source": BUILDERS,
    "delete_source": BUILDERS,
    "create_visitor_token": KEY_HOLDERS,
    "chat": CHATTERS,
    "resume_turn": CHATTERS,
    "export_customer": READERS,
    "erase_customer": WORKERS,
    "list_conversations": READERS,
    "get_conversation": READERS,
    "list_turns": READERS,
    "get_trace": READERS,
    "analyze_message": READERS,
    "read_intelligence_metrics": READERS,
    "list_intelligence_rules": READERS,
    "create_intelligence_rule": BUILDERS,
    "change_intelligence_rule": BUILDERS,
    "delete_intelligence_rule": BUILDERS,
    "list_intelligence_attributes": READERS,
    "create_intelligence_attribute": BUILDERS,
    "change_intelligence_attribute": BUILDERS,
    "delete_intelligence_attribute": BUILDERS,
    "get_intelligence_settings": READERS,
    "change_intelligence_settings": BUILDERS,
    "list_overrides": READERS,
    "override_reading": WORKERS,
    "take_back_override": WORKERS,
    "export_labels": READERS,
    "give_feedback": CHATTERS,
    "rate_conversation": CHATTERS,
    "tell_event": BUILDERS,
    "read_learning": READERS,
    "reset_learning": BUILDERS,
    "get_learning_settings": READERS,
    "change_learning_settings": BUILDERS,
    "list_session_rules": READERS,
    "create_session_rule": WORKERS,
    "change_session_rule": WORKERS,
    "delete_session_rule": WORKERS,
    "preview_session": READERS,
    "get_memory_settings": READERS,
    "change_memory_settings": WORKERS,
    "list_memory": READERS,
    "add_memory": WORKERS,
    "change_memory": WORKERS,
    "erase_memory": WORKERS,
    "erase_whole_memory": WORKERS,
    "list_own_memory": CHATTERS,
    "correct_own_memory": CHATTERS,
    "erase_own_memory": CHATTERS,
    "erase_own_whole_memory": CHATTERS,
    **dict.fromkeys(("list_products", "get_product", "list_featured_products"), READERS),
    **dict.fromkeys(("list_promotions", "get_promotion", "list_entries", "get_entry"), READERS),
    "get_catalog_settings": READERS,
    **dict.fromkeys(("create_product", "change_product", "delete_product", "feature_products"), BUILDERS),
    **dict.fromkeys(("create_promotion", "change_promotion", "delete_promotion"), BUILDERS),
    **dict.fromkeys(("create_entry", "change_entry", "delete_entry"), BUILDERS),
    **dict.fromkeys(("change_catalog_settings", "import_products"), BUILDERS),
}


def test_the_table_knows_every_route() -> None:
    assert set(MAY) == {operation.name for operation in operations()}


@pytest.mark.parametrize(
    "operation",
    [operation for operation in operations() if MAY.get(operation.name) != EVERYBODY],
    ids=lambda operation: operation.name,
)
async def test_a_route_is_open_to_those_who_may_and_to_nobody_else(
    operation: Operation, crew: dict[str, dict[str, str]], client: httpx.AsyncClient
) -> None:
    # Nothing has these ids, so whoever is let in finds nothing and changes nothing.
    ids = {name: new_id() for name in operation.parameters}
    let_in: set[str] = set()
    for caller, headers in crew.items():
        response = await operation.call(client, headers, ids)
        if response.status_code == 401:
            assert (caller, response.json()["code"]) == ("nobody", "unauthorized")
        elif response.status_code == 403:
            assert response.json()["code"] == "permission_missing"
        else:
            assert response.status_code < 500
            let_in.add(caller)

    assert let_in == MAY[operation.name]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_health_needs_no_credential(path: str, client: httpx.AsyncClient) -> None:
    assert (await client.get(path)).status_code == 200
