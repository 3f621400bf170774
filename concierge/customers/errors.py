from concierge.kit.errors import ConflictError, ForbiddenError, NotFoundError


class VisitorEndedError(ForbiddenError):
    code = "visitor_ended"

    def __init__(self) -> None:
        super().__init__("This visitor said goodbye on this device. Ask for a new visitor's token to go on.")


class CustomerNotFoundError(NotFoundError):
    code = "customer_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such customer.")


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
