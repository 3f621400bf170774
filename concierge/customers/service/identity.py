"""Who a visitor is, once the business's server has vouched for it."""

from datetime import datetime
from uuid import UUID

from concierge.accounts.scope import Unit
from concierge.customers.errors import (
    IdentityTokenUsedError,
    NoIdentitySecretError,
    UserHashNotAllowedError,
    VisitorEndedError,
)
from concierge.customers.identity import Identity, identity_by_hash, identity_in
from concierge.customers.models import Customer, CustomerSetting
from concierge.customers.repository.customers import CustomerRepository, IdentityRepository
from concierge.customers.schemas.customers import CustomerSettingsIn, CustomerSettingsOut, IdentifyIn
from concierge.customers.service.merging import MergeService
from concierge.kit.clock import Clock, utc_now
from concierge.kit.ids import new_id
from concierge.kit.sealing import Sealer, new_secret


class IdentityService:
    def __init__(self, unit: Unit, sealer: Sealer, clock: Clock = utc_now) -> None:
        self._customers = CustomerRepository(unit.session, unit.scope)
        self._identities = IdentityRepository(unit.session, unit.scope)
        self._merging = MergeService(unit, clock)
        self._sealer = sealer
        self._clock = clock

    async def identify(self, visitor_id: UUID, agent_id: UUID, proof: IdentifyIn) -> UUID:
        """Make a visitor one of the customer the proof names. Returns the visitor to go on as: a fresh one where this
        one is somebody else's already, so that nothing of theirs goes along.

        Errors: IdentityRefusedError, IdentityTokenUsedError, NoIdentitySecretError, UserHashNotAllowedError,
        VisitorEndedError.
        """
        now = self._clock()
        await self._customers.take_turns(str(visitor_id))
        visitor = await self._customers.visitor(visitor_id)
        if visitor is not None and visitor.ended_at is not None:
            raise VisitorEndedError
        identity = await self._proved(visitor_id, proof, now)
        await self._customers.take_turns(identity.external_id)
        current = None if visitor is None else await self._customers.get(visitor.customer_id, to_change=True)
        if current is not None and current.external_id not in {None, identity.external_id}:
            visitor_id, current = new_id(), None
        await self._take(identity, visitor_id, now)
        customer = await self._customer(current, identity, now)
        if current is None and not await self._customers.add_visitor(visitor_id, customer.id, agent_id, now):
            # Their first message came in just now, so there is somebody to become this customer.
            return await self.identify(visitor_id, agent_id, proof)
        return visitor_id

    async def reset(self, visitor_id: UUID, agent_id: UUID) -> UUID:
        """End a visitor on this device: what was theirs stays with the customer. Returns a fresh visitor.

        One who has said nothing is kept as ended, too, because their token is good for longer.
        """
        now = self._clock()
        visitor = await self._customers.visitor(visitor_id)
        if visitor is None:
            await self._customers.add_anonymous(visitor_id, now)
            if not await self._customers.add_visitor(visitor_id, visitor_id, agent_id, now, ended=True):
                return await self.reset(visitor_id, agent_id)
        elif visitor.ended_at is None:
            visitor.ended_at = now
            await self._customers.flush()
        return new_id()

    async def settings(self) -> CustomerSettingsOut:
        return _out(await self._identities.settings())

    async def set(self, wanted: CustomerSettingsIn) -> CustomerSettingsOut:
        said = wanted.model_dump(exclude_none=True)
        if said:
            await self._identities.save_settings(**said)
        return await self.settings()

    async def rotate(self) -> str:
        """Make a new identity secret, which is shown this once; signatures made with the former no longer count."""
        secret = new_secret()
        await self._identities.save_settings(identity_secret=self._sealer.seal(secret))
        await self._customers.note("identity_secret.rotated", None)
        return secret

    async def _proved(self, visitor_id: UUID, proof: IdentifyIn, now: datetime) -> Identity:
        settings = await self._identities.settings()
        if settings is None or settings.identity_secret is None:
            raise NoIdentitySecretError
        secret = self._sealer.open(settings.identity_secret)
        if proof.user_token is None:
            if not settings.user_hash_allowed:
                raise UserHashNotAllowedError
            return identity_by_hash(proof.user_id or "", proof.user_hash or "", secret)
        return identity_in(proof.user_token, secret, visitor_id, now)

    async def _take(self, identity: Identity, visitor_id: UUID, now: datetime) -> None:
        """Let a token serve this visitor and no other."""
        digest, expires_at = identity.token_digest, identity.expires_at
        if digest is None or expires_at is None:
            return
        if not await self._identities.take_token(digest, visitor_id, expires_at, now):
            raise IdentityTokenUsedError

    async def _customer(self, current: Customer | None, identity: Identity, now: datetime) -> Customer:
        """The customer of an identity: there already, or made of the anonymous one, or new."""
        known = await self._customers.by_external_id(identity.external_id)
        if known is None and current is not None:
            current.external_id, current.profile_type = identity.external_id, "identified"
            known = current
        elif known is None:
            known = await self._customers.made(new_id(), identity.external_id, now)
        elif current is not None and current.id != known.id:
            await self._merging.merge(current, known)
        known.email = identity.email or known.email
        known.name = identity.name or known.name
        known.updated_at = now
        await self._customers.flush()
        return known


def _out(settings: CustomerSetting | None) -> CustomerSettingsOut:
    if settings is None:
        return CustomerSettingsOut(memory="on", user_hash_allowed=False, has_identity_secret=False)
    return CustomerSettingsOut.model_validate(
        {
            "memory": settings.memory,
            "user_hash_allowed": settings.user_hash_allowed,
            "has_identity_secret": settings.identity_secret is not None,
        }
    )
