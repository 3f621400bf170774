"""What a visit says by itself, whatever a page claims of it."""

from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from concierge.customers.inference import SOURCES, built_in, infer
from concierge.customers.schemas.context import Inferable
from concierge.customers.schemas.session import KNOWN_VALUES


def inferred(**context: Any) -> dict[str, str]:
    """The surest of each kind."""
    found: dict[str, str] = {}
    for one in infer(context):
        found.setdefault(one.what, one.value)
    return found


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ({"current_page": "https://shop.example/pricing"}, {"interest": "pricing", "stage": "consideration"}),
        ({"current_page": "/de/preise?x=/cart"}, {"interest": "pricing", "stage": "consideration"}),
        ({"current_page": "/support/tickets/5"}, {"need": "problem_solving"}),
        ({"current_page": "/help"}, {"need": "problem_solving"}),
        ({"current_page": "/hilfe.html"}, {"need": "problem_solving"}),
        ({"current_page": "/checkout/step-2"}, {"stage": "decision"}),
        ({"current_page": "/panier"}, {"stage": "decision"}),
        ({"current_page": "https://shop.example/docs"}, {"technical_level": "expert"}),
        ({"current_page": "/api"}, {"technical_level": "expert"}),
        ({"current_page": "/%C3%BCber-uns"}, {"interest": "the company"}),
        ({"current_page": "/"}, {"stage": "awareness"}),
        ({"current_page": "/empleo"}, {"interest": "careers"}),
        ({"referrer": "https://www.google.de/search?q=x"}, {"preference": "search-driven"}),
        ({"referrer": "https://l.instagram.com/"}, {"preference": "exploring"}),
        ({"referrer": "https://mail.google.com/mail/u/0"}, {"preference": "returning by mail"}),
        ({"referrer": "android-app://com.google.android.gm"}, {"preference": "returning by mail"}),
        ({"referrer": "https://chatgpt.com/"}, {"preference": "assistant-driven"}),
        ({"utm": {"medium": "email"}}, {"preference": "returning by mail"}),
        ({"utm": {"utm_campaign": "Spring_Sale"}}, {"interest": "offers"}),
        ({"device": "mobile"}, {"response_style": "concise"}),
        ({"user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0)"}, {"response_style": "concise"}),
        ({"language": "de-AT,de;q=0.9"}, {"preference": "language:de"}),
        ({"local_time": "2026-03-01T23:30:00+01:00"}, {"response_style": "concise"}),
    ],
)
def test_a_visit_says_this(context: dict[str, Any], expected: dict[str, str]) -> None:
    assert expected.items() <= inferred(**context).items()


@pytest.mark.parametrize(
    "page",
    [
        "javascript:alert(1)//pricing",
        "data:text/html,/pricing",
        "file:///pricing",
        "ftp://shop.example/pricing",
        "blob:https://shop.example/pricing",
        "mailto:a@b.example",
        "about:blank",
        "pricing",
        "x" * 1_000_000,
        "https:///pricing",
        "/pricing-of-oil-in-history",
        "https://pricing.example/x",
        "\x00",
    ],
)
def test_only_pages_of_the_web_count(page: str) -> None:
    assert inferred(current_page=page) == {}


@pytest.mark.parametrize(
    "page", ["https://[::1/cart", "https://xn--a.example/cart", "https://user:pw@bücher.example:99999/cart"]
)
def test_a_broken_host_does_not_break_its_path(page: str) -> None:
    assert inferred(current_page=page)["stage"] == "decision"


def test_where_a_page_leads_to_itself_nobody_came_from_anywhere() -> None:
    assert "preference" not in inferred(
        current_page="https://google.com/x", referrer="https://www.google.com/"
    )


def test_everything_inferred_names_its_source_and_its_rule() -> None:
    (stage, *_) = infer({"current_page": "/cart"})

    assert (stage.source, stage.rule, stage.confidence) == ("page", "page.checkout", 0.9)


def test_built_in_rules_speak_of_what_there_is() -> None:
    assert len({rule.id for rule in built_in()}) == len(built_in())
    for rule in built_in():
        assert rule.source in SOURCES
        for own in rule.then:
            assert own.what in get_args(Inferable)
            assert own.value in KNOWN_VALUES.get(own.what, (own.value,))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=8), inside, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from(["current_page", "referrer", "utm", "device", "local_time", "language", "user_agent"])
ADDRESSES = st.builds(
    "{}{}{}".format,
    st.sampled_from(["https://", "//", "/", "http:", "xn--"]),
    st.text(max_size=20),
    st.text(max_size=20),
)


@given(st.dictionaries(NAMES, ANYTHING | ADDRESSES, max_size=7))
def test_nothing_a_page_sends_is_an_error(context: dict[str, Any]) -> None:
    infer(context)
