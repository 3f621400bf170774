"""Decisions about accounts: signing in (`sign_in`), an organization's own people and keys (`organization`)."""

from concierge.accounts.service.authentication import Authentication
from concierge.accounts.service.organization import Invitations, KeyService, MemberService
from concierge.accounts.service.sign_in import SignInService, TokenPair

__all__ = ["Authentication", "Invitations", "KeyService", "MemberService", "SignInService", "TokenPair"]
