"""`concierge billing`: plans of organizations, in a terminal."""

from datetime import UTC, datetime

import psycopg

from concierge.kit.postgres import OWNER_ROLE
from tests.billing.stripe_server import KEY, StripeServer, settings_for
from tests.cli.test_commands import failed, running, succeeded
from tests.resilience.support import Installation

__all__ = ["running"]

USED = """
INSERT INTO usage_meters (org_id, meter, period_start, amount)
VALUES (%(org_id)s, 'turns', %(month)s, 1204), (%(org_id)s, 'micro_dollars', %(month)s, 2500000)
"""
PAID = "INSERT INTO subscriptions (org_id, id, plan, status) VALUES (%(org_id)s, 'sub_1', 'enterprise', 'past_due')"


def written(installation: Installation, statement: str, **values: object) -> None:
    with psycopg.connect(installation.home.address.conninfo(role=OWNER_ROLE)) as connection:
        connection.execute(statement.encode(), {"org_id": installation.credentials.org_id, **values})


def test_a_plan_is_shown_and_set(running: Installation) -> None:
    org = ("--org", running.credentials.org_id)
    written(running, USED, month=datetime.now(UTC).date().replace(day=1))

    shown = running.run("billing", "show", *org)
    assert "Basic, $0 a month." in succeeded(shown)
    rows = [" ".join(line.split()) for line in shown.out.splitlines()]
    assert "knowledge_packs 1 Enterprise: unlimited" in rows
    assert "site_search no Professional: yes" in rows
    assert "turns 1,204" in rows
    assert "paid for language models $2.50" in rows
    assert max(map(len, shown.out.splitlines())) <= 80

    assert "The plan is Professional" in succeeded(running.run("billing", "set-plan", "professional", *org))
    shown = running.run("billing", "show", *org)
    assert "Professional, $49 a month." in succeeded(shown)
    assert "site_search yes" in [" ".join(line.split()) for line in shown.out.splitlines()]


def test_what_is_paid_for_is_said_and_stays(running: Installation) -> None:
    org = ("--org", running.credentials.org_id)
    succeeded(running.run("billing", "set-plan", "professional", *org))
    written(running, PAID)

    assert "pays for Enterprise" in succeeded(running.run("billing", "set-plan", "basic", *org))
    said = succeeded(running.run("billing", "show", *org))
    assert "Paid through Stripe: enterprise (past_due, the last payment failed)." in said


def test_what_is_not_there_is_said(running: Installation) -> None:
    failed(running.run("billing", "show", "--org", "Nobody [Ltd]"), "no organization “Nobody [Ltd]”")
    gold = running.run("billing", "set-plan", "[gold]", "--org", running.credentials.org_id)
    failed(gold, "no plan “[gold]”", "basic, professional, enterprise")


def test_settings_that_do_not_fit_together_are_named(running: Installation) -> None:
    show = ("billing", "show", "--org", running.credentials.org_id)
    failed(running.run(*show, CONCIERGE_BILLING__DEFAULT_PLAN="gold"), "DEFAULT_PLAN", "“gold”")
    command = running.run(*show, CONCIERGE_BILLING__STRIPE_KEY=KEY)
    failed(command, "STRIPE_WEBHOOK_SECRET")
    assert KEY not in command.err


def test_the_command_works_where_plans_are_sold(running: Installation) -> None:
    settings = settings_for(StripeServer(url="http://127.0.0.1:1"))
    assert settings.stripe_webhook_secret is not None
    environment = {
        "CONCIERGE_BILLING__STRIPE_KEY": KEY,
        "CONCIERGE_BILLING__STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret.get_secret_value(),
        "CONCIERGE_BILLING__PRICES": '{"professional": "price_1"}',
    }

    given = running.run(
        "billing", "set-plan", "enterprise", "--org", running.credentials.org_id, **environment
    )

    assert "The plan is Enterprise" in succeeded(given)
