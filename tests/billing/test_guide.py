"""What docs/billing.md says is what the product does."""

import re
from pathlib import Path

from concierge.billing.events import EventKind
from concierge.billing.plans import plan_table

GUIDE = (Path(__file__).parents[2] / "docs" / "billing.md").read_text("utf-8")
SETTINGS = (Path(__file__).parents[2] / "docs" / "settings.md").read_text("utf-8")
SHOWN = {True: "yes", False: "no"}


def rows() -> list[list[str]]:
    lines = [line for line in GUIDE.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_table_of_plans_is_the_one_that_is_used() -> None:
    heads, _, *features = rows()
    plans = plan_table().plans

    assert heads[1:] == [
        f"{plan.title}, {f'${plan.monthly_usd} a month' if plan.monthly_usd else 'free'}" for plan in plans
    ]
    assert features == [
        [f"`{feature}`"]
        + [
            SHOWN[value] if isinstance(value, bool) else str(value)
            for value in (plan.features[feature] for plan in plans)
        ]
        for feature in plans[0].features
    ]


def test_the_endpoint_is_to_be_given_every_event_that_matters() -> None:
    assert set(re.findall(r"^   - `([\w.]+)`$", GUIDE, re.MULTILINE)) == set(EventKind)


def test_every_setting_it_names_is_one() -> None:
    named = set(re.findall(r"CONCIERGE_BILLING__(?:[A-Z]+_?)+?(?=__|=|\b)", GUIDE))

    assert len(named) == 4
    assert all(f"| `{name}` |" in SETTINGS for name in named)
