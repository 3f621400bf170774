from concierge.kit.errors import ConflictError, ForbiddenError, NotFoundError, UnauthorizedError


class WrongCredentialsError(UnauthorizedError):
    code = "wrong_credentials"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is not right.")


class TokenError(UnauthorizedError):
    code = "token_invalid"


class SessionEndedError(UnauthorizedError):
    code = "session_ended"

    def __init__(self) -> None:
        super().__init__("This sign-in has ended. Please sign in again.")


class AudiencesNotAllowedError(ForbiddenError):
    code = "audiences_not_allowed"

    def __init__(self) -> None:
        super().__init__(
            "Which audiences a visitor belongs to is for your server to say: use a secret key, never one that a page can "
            "show."
        )


class EmailTakenError(ConflictError):
    code = "email_taken"

    def __init__(self) -> None:
        super().__init__("There is already an account with this e-mail address. Sign in instead.")


class AlreadyMemberError(ConflictError):
    code = "already_member"

    def __init__(self) -> None:
        super().__init__("This person is already a member.")


class LastOwnerError(ConflictError):
    code = "last_owner"

    def __init__(self) -> None:
        super().__init__("An organization needs at least one owner. Make somebody else an owner first.")


class AccountNotFoundError(NotFoundError):
    def __init__(self, what: str) -> None:
        super().__init__(f"There is no such {what}.", code=f"{what.replace(' ', '_')}_not_found")
