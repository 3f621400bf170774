"""The OpenAPI document is what the API does: no generated request breaks the server, and every answer conforms.

The requests are made by schemathesis, valid and invalid ones, and go over a real socket to a real server.
"""

import asyncio
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from concierge.entrypoints.api.app import create_app
from concierge.entrypoints.wiring import DatabaseAddress, build
from concierge.llm.embeddings import LocalEmbedder
from tests.api.operations import openapi
from tests.conftest import SETTINGS
from tests.factories.tenants import PASSWORD, bearer

DOCUMENT = openapi()
API: Any = schemathesis.openapi.from_dict(DOCUMENT)
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
# Open to everybody, so there is nothing to be refused for want of a credential.
PUBLIC = {"sign_up", "login", "refresh", "logout", "is_alive", "is_ready", "hear_stripe"}
BOUNDED = settings(
    max_examples=4,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@dataclass(frozen=True, slots=True)
class Served:
    url: str
    owner: dict[str, str]


@pytest.fixture(scope="module")
def served(database: DatabaseAddress, embedder: LocalEmbedder) -> Iterator[Served]:
    """The product on a port of its own, in a thread with its own event loop, and the owner of an organization."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = create_app(build(SETTINGS, database, embedder=embedder))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", access_log=False))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        body = {"organization": "Shop", "name": "Ann", "email": "fuzz@shop.example", "password": PASSWORD}
        with httpx.Client(transport=httpx.HTTPTransport(retries=50)) as client:
            pair = client.post(f"{url}/api/v1/auth/sign-up", json=body, timeout=20).json()
        yield Served(url, bearer(pair["access_token"]))
        server.should_exit = True
        thread.join(20)


@API.parametrize()
@BOUNDED
def test_the_owners_requests_get_what_is_documented(case: Any, served: Served) -> None:
    response = case.call(base_url=served.url, headers=served.owner)

    case.validate_response(response, checks=CHECKS)


# Without the explicit phase, which tries the edges of every field: the credential is looked at before them.
@API.exclude(operation_id=list(PUBLIC)).parametrize()
@settings(BOUNDED, max_examples=2, phases=[Phase.generate])
def test_nobodys_requests_are_refused_as_documented(case: Any, served: Served) -> None:
    response = case.call(base_url=served.url, headers={"Authorization": ""})

    case.validate_response(response, checks=CHECKS)
    # A browser may ask what it may send (CORS) without a credential.
    assert 400 <= response.status_code < 500 or case.method == "OPTIONS"
