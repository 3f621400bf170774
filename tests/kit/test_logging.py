"""What looks like a secret never reaches a log line."""

from typing import Any

import pytest

from concierge.kit.logging import HIDDEN, hide_secrets


@pytest.mark.parametrize("name", ["password", "refresh_token", "Authorization", "secret_key", "api_key"])
def test_values_with_secret_names_are_hidden(name: str) -> None:
    event: dict[str, Any] = {"event": "x", name: "value"}

    assert hide_secrets(None, "info", event)[name] == HIDDEN


@pytest.mark.parametrize(
    "secret",
    [
        "sk_AaIHbCOIc72fzD0Ul_WcdENmMzGgtL7I",
        "rk_live_AaIHbCOIc72fzD0Ul",
        "whsec_AaIHbCOIc72fzD0Ul",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
    ],
)
def test_secrets_inside_a_sentence_are_hidden(secret: str) -> None:
    event = hide_secrets(None, "info", {"event": f"got {secret} from the client"})

    assert event["event"] == f"got {HIDDEN} from the client"


def test_everything_else_stays() -> None:
    event: dict[str, Any] = {"event": "source read", "chunks": 3}

    assert hide_secrets(None, "info", dict(event)) == event
