from concierge.kit.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError


class VisitorEndedError(ForbiddenError):
    code = "visitor_ended"

    def __init__(self) -> None:
        super().__init__("This visitor said goodbye on this device. Ask for a new visitor's token to go on.")


class IdentityRefusedError(ForbiddenError):
    code = "identity_refused"


class IdentityTokenUsedError(ForbiddenError):
    code = "identity_token_used"

    def __init__(self) -> None:
        super().__init__("This identity token has served another visitor. Have your server sign a new one.")


class NoIdentitySecretError(ConflictError):
    code = "identity_secret_missing"

    def __init__(self) -> None:
        super().__init__(
            "This organization has no identity secret yet. Make one with POST /api/v1/customers/settings/identity-secret."
        )


class UserHashNotAllowedError(ConflictError):
    code = "user_hash_not_allowed"

    def __init__(self) -> None:
        super().__init__(
            "User hashes are switched off, because they never expire. Send a signed `user_token`, or allow hashes in the "
            "customer settings."
        )


class CustomerNotFoundError(NotFoundError):
    code = "customer_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such customer.")


class MergeNotFoundError(NotFoundError):
    code = "merge_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such merge that could still be undone.")


class ExternalIdTakenError(ConflictError):
    code = "external_id_taken"

    def __init__(self) -> None:
        super().__init__("Another customer already has this external id.")


class AnonymousIdError(InvalidInputError):
    code = "profile_type_needs_id"

    def __init__(self) -> None:
        super().__init__("A customer without an external id is anonymous and stays so.")


class AttributesFullError(InvalidInputError):
    code = "attributes_full"

    def __init__(self) -> None:
        super().__init__(
            "Together with those there are, these attributes are too many or too large. Take some away with null."
        )


class NotAVisitorError(ConflictError):
    code = "visitor_needed"

    def __init__(self) -> None:
        super().__init__(
            "This is for a visitor's own token. To say who a customer is, use PUT /api/v1/customers."
        )


class FactNotFoundError(NotFoundError):
    code = "fact_not_found"

    def __init__(self) -> None:
        super().__init__("Nothing like this is remembered, or it holds no longer.")


class SessionRuleNotFoundError(NotFoundError):
    code = "session_rule_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such rule.")


class BuiltInRuleError(ConflictError):
    code = "built_in_rule"

    def __init__(self) -> None:
        super().__init__(
            "This rule is built in: it can be switched off with “enabled”, and a rule of your own goes before it."
        )


class TooManySessionRulesError(ConflictError):
    code = "too_many_session_rules"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} rules already, which is the most. Delete one first.")
