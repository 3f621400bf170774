"""What docs/identity.md tells a business to do works."""

import json
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.factories.tenants import Tenant

pytestmark = pytest.mark.anyio

GUIDE = Path(__file__).parents[2] / "docs" / "identity.md"
USER = {"id": "u-77", "email": "ann@example.com"}


def snippet(language: str) -> str:
    (only,) = re.findall(rf"^```{language}\n(.*?)^```", GUIDE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return only


def signed_in_python(secret: str) -> str:
    names: dict[str, Any] = {"user": SimpleNamespace(**USER), "SECRET": secret}
    exec(snippet("python"), names)  # noqa: S102  # The guide's own words are what is tested.
    return names["token"]


def signed_in_node(secret: str) -> str:
    given = f"const user = {json.dumps(USER)}, SECRET = {json.dumps(secret)};\n"
    script = given + snippet("js") + "process.stdout.write(token);\n"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script], capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.parametrize("signed", [signed_in_python, signed_in_node])
async def test_a_token_signed_as_the_guide_says_is_believed(signed: Any, tenant: Tenant) -> None:
    token = signed(await tenant.identity_secret())

    response = await tenant.identify(await tenant.visitor(), token)

    assert response.status_code == 200, response.text
    found = await tenant.client.get("/api/v1/customers", headers=tenant.owner, params={"search": USER["id"]})
    (customer,) = found.json()["items"]
    assert (customer["external_id"], customer["email"]) == (USER["id"], USER["email"])
