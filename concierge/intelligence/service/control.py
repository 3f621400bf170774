"""What an operator says beforehand: rules, attributes, settings. It holds from the next message on."""

from collections.abc import Collection, Sequence
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.intelligence.errors import (
    AttributeInUseError,
    AttributeNotFoundError,
    RuleNotFoundError,
    TooManyAttributesError,
    TooManyRulesError,
)
from concierge.intelligence.models import IntelligenceAttribute, IntelligenceRule
from concierge.intelligence.repository import ControlRepository
from concierge.intelligence.schemas.control import (
    MOST_ATTRIBUTES,
    MOST_RULES,
    UNKNOWN,
    AttributeIn,
    AttributePatch,
    Consequence,
    IntelligenceSettings,
    RuleIn,
    RulePatch,
)
from concierge.intelligence.service.values import Choices, check_single
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id


class RuleService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = ControlRepository(unit.session, unit.scope)
        self._clock = clock

    async def list(self) -> Sequence[IntelligenceRule]:
        return await self._repository.rules()

    async def create(self, wanted: RuleIn) -> IntelligenceRule:
        """Errors: TooManyRulesError, DimensionUnknownError, ValueNotAllowedError."""
        await self._repository.lock()
        if await self._repository.count_rules() >= MOST_RULES:
            raise TooManyRulesError(MOST_RULES)
        await self._check(wanted.then)
        now = self._clock()
        values = wanted.model_dump(exclude_none=True)
        rule = IntelligenceRule(**values, org_id=self._org_id, id=new_id(), created_at=now, updated_at=now)
        await self._repository.add_rule(rule)
        return rule

    async def change(self, rule_id: UUID, patch: RulePatch) -> IntelligenceRule:
        """Errors: RuleNotFoundError, DimensionUnknownError, ValueNotAllowedError."""
        await self._repository.lock()
        rule = await self._get(rule_id)
        if patch.then is not None:
            await self._check(patch.then)
        for name, value in patch.model_dump(exclude_none=True).items():
            setattr(rule, name, value)
        rule.updated_at = self._clock()
        return rule

    async def remove(self, rule_id: UUID) -> None:
        """Errors: RuleNotFoundError."""
        await self._repository.remove(await self._get(rule_id))

    async def _get(self, rule_id: UUID) -> IntelligenceRule:
        rule = await self._repository.rule(rule_id)
        if rule is None:
            raise RuleNotFoundError
        return rule

    async def _check(self, then: Consequence) -> None:
        if then.dimension is not None and then.set_to is not None:
            check_single(then.dimension, then.set_to, choices_of(await self._repository.attributes()))


class AttributeService:
    def __init__(self, unit: Unit, clock: Clock = utc_now) -> None:
        self._org_id = unit.scope.org_id
        self._repository = ControlRepository(unit.session, unit.scope)
        self._clock = clock

    async def list(self) -> Sequence[IntelligenceAttribute]:
        return await self._repository.attributes()

    async def create(self, wanted: AttributeIn) -> IntelligenceAttribute:
        """Errors: TooManyAttributesError, AttributeNameTakenError."""
        await self._repository.lock()
        if len(await self._repository.attributes()) >= MOST_ATTRIBUTES:
            raise TooManyAttributesError(MOST_ATTRIBUTES)
        now = self._clock()
        attribute = IntelligenceAttribute(
            **wanted.model_dump(), org_id=self._org_id, id=new_id(), created_at=now, updated_at=now
        )
        await self._repository.save(attribute)
        return attribute

    async def change(self, attribute_id: UUID, patch: AttributePatch) -> IntelligenceAttribute:
        """Errors: AttributeNotFoundError, AttributeInUseError, AttributeNameTakenError."""
        await self._repository.lock()
        attribute = await self._get(attribute_id)
        renamed = patch.name not in {None, attribute.name}
        values = (own["value"] for own in attribute.values)
        if patch.values is not None:
            values = (own.value for own in patch.values)
        await self._check_unused(attribute.name, but=() if renamed else {*values, UNKNOWN})
        for field, value in patch.model_dump(exclude_none=True).items():
            setattr(attribute, field, value)
        attribute.updated_at = self._clock()
        await self._repository.save(attribute)
        return attribute

    async def remove(self, attribute_id: UUID) -> None:
        """Errors: AttributeNotFoundError, AttributeInUseError."""
        await self._repository.lock()
        attribute = await self._get(attribute_id)
        await self._check_unused(attribute.name)
        await self._repository.remove(attribute)

    async def _get(self, attribute_id: UUID) -> IntelligenceAttribute:
        attribute = await self._repository.attribute(attribute_id)
        if attribute is None:
            raise AttributeNotFoundError
        return attribute

    async def _check_unused(self, name: str, but: Collection[str] = ()) -> None:
        """No rule may set an attribute to a value that will not be there."""
        using = [
            rule.name
            for rule in await self._repository.rules()
            if rule.then.get("dimension") == name and rule.then.get("set_to") not in but
        ]
        if using:
            raise AttributeInUseError(using)


class SettingsService:
    def __init__(self, unit: Unit) -> None:
        self._repository = ControlRepository(unit.session, unit.scope)

    async def get(self) -> IntelligenceSettings:
        stored = await self._repository.settings()
        if stored is None:
            return IntelligenceSettings()
        return IntelligenceSettings.model_validate(stored, from_attributes=True)

    async def change(self, wanted: IntelligenceSettings) -> None:
        await self._repository.save_settings(wanted.opens, wanted.closes, llm_allowed=wanted.llm_allowed)


def choices_of(attributes: Sequence[IntelligenceAttribute]) -> Choices:
    return {own.name: [str(value["value"]) for value in own.values] for own in attributes}
