"""Every operation of the OpenAPI document, and a valid request of each: a new route without one fails its tests."""

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import unconnected
from concierge.kit.settings import Settings

PASSWORD = "correct horse battery"
# A valid body of every operation that takes one. `None`: a file is uploaded.
BODIES: Mapping[str, Mapping[str, Any] | None] = {
    "sign_up": {"organization": "Shop", "name": "Ann", "email": "ann@shop.example", "password": PASSWORD},
    "login": {"email": "nobody@shop.example", "password": PASSWORD},
    "refresh": {"refresh_token": "none"},
    "logout": {"refresh_token": "none"},
    "add_member": {"email": "bob@shop.example", "name": "Bob", "role": "viewer", "password": PASSWORD},
    "change_member_role": {"role": "viewer"},
    "create_api_key": {"kind": "secret", "name": "key"},
    "set_plan": {"plan": "enterprise"},
    "begin_checkout": {"plan": "professional", "return_to": "/settings/billing"},
    "open_portal": {"return_to": "/settings/billing"},
    "create_agent": {"name": "Ben"},
    "change_agent": {"name": "Changed"},
    "set_agent_strategy": {"loop_after": 4, "vip_labels": ["gold"]},
    "set_strategy_defaults": {"purchase_steps": False},
    "create_persona": {
        "name": "Barista",
        "system_prompt": "You pull shots and know your beans.",
        "tactics": {
            "style": "warm",
            "steps": ["qualify", {"name": "taste", "guidance": "Ask how they drink it."}],
        },
    },
    "create_persona_from_template": {"template_name": "domain_guru", "name": "The one who knows"},
    "change_persona": {"communication_style": {"tone": "warm"}},
    # No vendor is reached: the address names no host.
    "add_language_model": {
        "name": "Quick",
        "model": "openai:gpt-5.1",
        "key": "sk-tenant-key",
        "url": "https://models.invalid/v1",
        "read_price": "1",
        "written_price": "2",
    },
    "change_language_model": {"name": "Quicker"},
    "set_writing": {"daily_usd": "5.00"},
    "set_agent_writing": {"models": [], "monthly_tokens": 100000},
    "test_query": {"agent_id": "00000000-0000-7000-8000-000000000000", "message": "Hello?"},
    "preview_persona": {"message": "Which coffee would you recommend?", "last_stage": "qualify"},
    "change_domain_expertise": {"domain_expertise_enabled": False, "tool_policy": {"code_exec": False}},
    "put_customer": {"external_id": "u-77", "email": "cleo@shop.example", "labels": ["gold"]},
    "change_customer": {"name": "Cleo", "attributes": {"plan": "plus"}},
    "change_customer_settings": {"memory": "anonymous_off"},
    "identify_visitor": {"user_id": "u-1", "user_hash": "00"},
    "create_pack": {"name": "Another"},
    "change_pack": {"description": "What we know."},
    "add_source": {"kind": "text", "title": "Note", "text": "A note."},
    "upload_file": None,
    "change_source": {"audience": "wholesale", "credibility": 0.9},
    "change_document": {"audience": "staff"},
    "import_pack": None,
    "reindex_pack": {"chunker": "recursive"},
    "add_feed": None,
    "preview_feed": None,
    "create_knowledge_pack": {"name": "Yet another"},
    "add_knowledge_source": {"kind": "text", "title": "Note", "text": "A note."},
    "change_source_text": {"title": "Note", "text": "Another note."},
    "create_faq": {"question": "Is there parking?", "answer": "Yes, behind the depot."},
    "change_faq": {"answer": "No."},
    "search_knowledge": {"query": "Hello?", "explain": True},
    "create_visitor_token": {"agent_id": "00000000-0000-7000-8000-000000000000"},
    "chat": {"message": "Hello?"},
    "analyze_message": {"text": "Hello?", "history": ["Hi"], "context": {"current_page": "/help"}},
    "create_intelligence_rule": {
        "name": "Outages",
        "when": {"phrases": ["is down"]},
        "then": {"dimension": "urgency_level", "raise_to": "critical"},
    },
    "change_intelligence_rule": {"enabled": False},
    "create_intelligence_attribute": {
        "name": "department",
        "values": [{"value": "sales"}, {"value": "service", "phrases": ["is broken"]}],
    },
    "change_intelligence_attribute": {"description": "Who should deal with it."},
    "change_intelligence_settings": {"opens": "08:00", "closes": "17:30"},
    "override_reading": {"value": "happy"},
    "give_feedback": {"thumbs": "up"},
    "rate_conversation": {"rating": 4, "comment": "Quick."},
    "tell_event": {"id": "order-1", "visitor_id": "00000000-0000-7000-8000-000000000000", "value": 129.0},
    "change_learning_settings": {"explore_share": 0.05},
    "create_session_rule": {
        "name": "Offers",
        "when": {"source": "page", "any": ["/angebote"]},
        "then": [{"what": "interest", "value": "pricing"}],
    },
    "change_session_rule": {"enabled": False},
    "preview_session": {"current_page": "/pricing"},
    "change_memory_settings": {"memory": "on", "days": {"problem": 30}},
    "add_memory": {"kind": "preference", "subject": "sofa", "value": "wants a sofa under $900"},
    "change_memory": {"value": "wants a sofa under $1,200"},
    "correct_own_memory": {"value": "wants a sofa under $1,200"},
    "create_product": {"sku": "C-900", "title": "Palm stool", "price": "49.00", "category": "Chairs"},
    "change_product": {"price": "59.00"},
    "feature_products": {"skus": []},
    "create_promotion": {"title": "Stool week", "text": "Stools cost less this week.", "percent": 10},
    "change_promotion": {"title": "Stool days"},
    "create_entry": {"kind": "faq", "title": "Do stools stack?", "text": "Yes, up to four."},
    "change_entry": {"text": "Yes, up to six."},
    "change_catalog_settings": {"currency": "EUR", "time_zone": "Europe/Berlin"},
    "import_products": None,
}
# What a path names besides rows.
WORDS = {"dimension": "emotional_state", "version": "1"}
FEED = "goods.csv", b"id,title,price\n1,Oak table,349.00 EUR\n"
UPLOADS: Mapping[str, tuple[str, bytes]] = {"add_feed": FEED, "preview_feed": FEED, "import_products": FEED}


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    path: str
    parameters: tuple[str, ...]
    has_body: bool
    body_schema: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def url(self, ids: Mapping[str, UUID]) -> str:
        return self.path.format(**WORDS, **{name: ids[name] for name in self.parameters})

    async def call(
        self,
        client: httpx.AsyncClient,
        headers: Mapping[str, str],
        ids: Mapping[str, UUID],
        body: Mapping[str, Any] | None = None,
    ) -> httpx.Response:
        content: dict[str, Any] = {}
        if self.has_body and BODIES[self.name] is None:
            content["files"] = {"file": UPLOADS.get(self.name, ("note.md", b"# Note\n\nA note.\n"))}
        elif self.has_body:
            content["json"] = body or BODIES[self.name]
        return await client.request(self.method, self.url(ids), headers=dict(headers), **content)


def openapi() -> dict[str, Any]:
    settings = Settings(data_dir=Path(tempfile.gettempdir()) / "concierge-test-data", secret_key="k" * 32)  # pyright: ignore[reportArgumentType]  # pydantic makes it a SecretStr.
    return create_app(unconnected(settings)).openapi()


def operations() -> list[Operation]:
    document = openapi()
    return [
        _operation(document, method, path, details)
        for path, methods in document["paths"].items()
        for method, details in methods.items()
    ]


def _operation(document: dict[str, Any], method: str, path: str, details: dict[str, Any]) -> Operation:
    inside = [
        entry["name"]
        for entry in details.get("parameters", [])
        if entry["in"] == "path" and entry["name"] not in WORDS
    ]
    content = details.get("requestBody", {}).get("content", {})
    schema = next(iter(content.values()), {}).get("schema", {})
    return Operation(
        name=details["operationId"],
        method=method.upper(),
        path=path,
        parameters=tuple(inside),
        has_body="requestBody" in details,
        body_schema=_resolved(document, schema),
    )


def _resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    return document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
