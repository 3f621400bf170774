"""What an organization says of what a visit says by itself, at hand for every turn."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from time import monotonic
from typing import Any, Final
from uuid import UUID

from concierge.accounts.scope import TenantScope, Unit
from concierge.customers import inference
from concierge.customers.errors import (
    BuiltInRuleError,
    SessionRuleNotFoundError,
    TooManySessionRulesError,
)
from concierge.customers.models import SessionRule
from concierge.customers.repository.sessions import SessionRuleRepository
from concierge.customers.schemas.context import Inferred
from concierge.customers.schemas.session import (
    MOST_RULES,
    Inference,
    SessionRuleIn,
    SessionRuleOut,
    SessionRulePatch,
    StoredRule,
    When,
)
from concierge.kit.clock import Clock, utc_now
from concierge.kit.db import Database
from concierge.kit.ids import new_id
from concierge.kit.lately import Lately

INFERENCES: Final = "inferences"


class SessionInferenceService:
    """Remembers every organization's rules for a moment; a change made through `changing` holds at once."""

    def __init__(self, db: Database, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._lately: Lately[Sequence[inference.SessionRule]] = Lately(now)

    async def infer(self, scope: TenantScope, context: Mapping[str, Any]) -> tuple[Inferred, ...]:
        """Costs one statement, in a transaction of its own, or none. Errors: UnavailableError."""
        return inference.infer(context, await self.rules(scope))

    async def rules(self, scope: TenantScope) -> Sequence[inference.SessionRule]:
        """Return the rules that are used, an organization's own before the built-in ones."""
        return await self._lately.get(scope.org_id, lambda: self._loaded(scope))

    async def _loaded(self, scope: TenantScope) -> Sequence[inference.SessionRule]:
        async with self._db.transaction(scope.org_id) as session:
            return rules_of(await SessionRuleRepository(session, scope).stored())

    @asynccontextmanager
    async def changing(self, scope: TenantScope) -> AsyncGenerator[Unit]:
        """A unit of work that may change the rules; what is remembered of them goes once that is done."""
        try:
            async with self._db.transaction(scope.org_id) as session:
                yield Unit(session, scope)
        finally:
            self._lately.forget(scope.org_id)


class SessionRuleService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = SessionRuleRepository(unit.session, unit.scope)
        self._clock = clock

    async def list(self) -> list[SessionRuleOut]:
        """Return all rules in the order they are looked at: one's own, then the built-in ones."""
        stored = {rule.id: rule for rule in await self._repository.all()}
        own = [_out(rule) for rule in stored.values() if rule.id not in BUILT_IN]
        return [*own, *(_built_in_out(rule, stored.get(rule.id)) for rule in inference.built_in())]

    async def create(self, wanted: SessionRuleIn) -> SessionRuleOut:
        """Errors: TooManySessionRulesError."""
        if len([rule for rule in await self._repository.all() if rule.id not in BUILT_IN]) >= MOST_RULES:
            raise TooManySessionRulesError(MOST_RULES)
        now = self._clock()
        values = wanted.model_dump(mode="json")
        values["then"] = {INFERENCES: values["then"]}
        rule = SessionRule(org_id=self._org_id, id=new_id(), created_at=now, updated_at=now, **values)
        await self._repository.save(rule)
        return _out(rule)

    async def change(self, rule_id: UUID, patch: SessionRulePatch) -> SessionRuleOut:
        """Errors: SessionRuleNotFoundError, BuiltInRuleError."""
        if (built_in := BUILT_IN.get(rule_id)) is not None:
            return await self._switch(built_in, patch)
        rule = await self._get(rule_id)
        changes = patch.model_dump(mode="json", exclude_none=True)
        if "then" in changes:
            changes["then"] = {INFERENCES: changes["then"]}
        for name, value in changes.items():
            setattr(rule, name, value)
        rule.updated_at = self._clock()
        return _out(rule)

    async def remove(self, rule_id: UUID) -> None:
        """Errors: SessionRuleNotFoundError, BuiltInRuleError."""
        if rule_id in BUILT_IN:
            raise BuiltInRuleError
        await self._repository.remove(await self._get(rule_id))

    async def _get(self, rule_id: UUID) -> SessionRule:
        rule = await self._repository.get(rule_id)
        if rule is None:
            raise SessionRuleNotFoundError
        return rule

    async def _switch(self, built_in: inference.SessionRule, patch: SessionRulePatch) -> SessionRuleOut:
        if patch.name is not None or patch.when is not None or patch.then is not None:
            raise BuiltInRuleError
        now = self._clock()
        switch = await self._repository.get(built_in.id) or SessionRule(
            org_id=self._org_id, id=built_in.id, name=built_in.name, when={}, then={}, created_at=now
        )
        switch.enabled = switch.enabled if patch.enabled is None else patch.enabled
        switch.updated_at = now
        await self._repository.save(switch)
        return _built_in_out(built_in, switch)


BUILT_IN: Final[Mapping[UUID, inference.SessionRule]] = {rule.id: rule for rule in inference.built_in()}


def rules_of(stored: Sequence[StoredRule]) -> tuple[inference.SessionRule, ...]:
    """The rules to use: what is switched off is left out."""
    off = {rule.id for rule in stored if not rule.enabled}
    own = [_rule(rule) for rule in stored if rule.enabled and rule.id not in BUILT_IN]
    return (*own, *(rule for rule in inference.built_in() if rule.id not in off))


def _rule(stored: StoredRule) -> inference.SessionRule:
    then = tuple(inference.SessionInference(**own) for own in stored.then[INFERENCES])
    return inference.SessionRule(
        stored.id, stored.name, stored.when["source"], tuple(stored.when["any"]), then
    )


def _out(rule: SessionRule) -> SessionRuleOut:
    return SessionRuleOut(
        id=rule.id,
        name=rule.name,
        built_in=False,
        enabled=rule.enabled,
        when=When(rule.when["source"], tuple(rule.when["any"])),
        then=[Inference(**own) for own in rule.then[INFERENCES]],
        created_at=rule.created_at,
        updated_at=rule.updated_at,
    )


def _built_in_out(rule: inference.SessionRule, switch: SessionRule | None) -> SessionRuleOut:
    changed: datetime | None = None if switch is None else switch.updated_at
    return SessionRuleOut(
        id=rule.id,
        name=rule.name,
        built_in=True,
        enabled=switch is None or switch.enabled,
        when=When(rule.source, rule.any),
        then=[Inference(own.what, own.value, own.confidence) for own in rule.then],
        created_at=None,
        updated_at=changed,
    )
