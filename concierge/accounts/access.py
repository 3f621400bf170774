"""FastAPI dependencies that turn a request into an authorised `Unit` of work."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from concierge.accounts.scope import Permission, TenantScope, Unit
from concierge.accounts.service import Authentication, Invitations, SignInService
from concierge.kit.db import Database
from concierge.kit.errors import UnauthorizedError

BEARER = HTTPBearer(
    auto_error=False, description="A member's access token, an API key (`sk_…`, `pk_…`) or a visitor's token."
)


@dataclass(frozen=True, slots=True)
class AccountServices:
    """What the application puts on `app.state.accounts`."""

    db: Database
    authentication: Authentication
    sign_in: SignInService
    invitations: Invitations


def account_services(request: Request) -> AccountServices:
    services: AccountServices = request.app.state.accounts
    return services


Services = Annotated[AccountServices, Depends(account_services)]


async def current_scope(
    services: Services, bearer: Annotated[HTTPAuthorizationCredentials | None, Security(BEARER)]
) -> TenantScope:
    """Errors: UnauthorizedError without a credential; TokenError with a bad one."""
    if bearer is None:
        raise UnauthorizedError("Send a token or an API key in the header “Authorization: Bearer …”.")
    return await services.authentication.scope_of(bearer.credentials)


CurrentScope = Annotated[TenantScope, Depends(current_scope)]


def scope_with(permission: Permission) -> Any:
    """Depend on a caller who has the permission, without opening a transaction."""

    async def permitted(scope: CurrentScope) -> TenantScope:
        scope.require(permission)
        return scope

    return Depends(permitted)


def unit_with(permission: Permission) -> Any:
    """Depend on a transaction of a caller who has the permission; it commits before the response leaves."""
    return Depends(_unit(permission), scope="function")


def _unit(permission: Permission) -> Callable[..., AsyncIterator[Unit]]:
    async def unit(services: Services, scope: CurrentScope) -> AsyncIterator[Unit]:
        scope.require(permission)
        async with services.db.transaction(scope.org_id) as session:
            yield Unit(session, scope)

    return unit
