from concierge.kit.errors import ForbiddenError, InvalidInputError, UnavailableError


class MessageEmptyError(InvalidInputError):
    code = "message_empty"

    def __init__(self) -> None:
        super().__init__("The message is empty. Write what you would like to know.")


class MessageTooLongError(InvalidInputError):
    code = "message_too_long"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The message is longer than {limit:,} characters. Please shorten it.")


class OriginNotAllowedError(ForbiddenError):
    code = "origin_not_allowed"

    def __init__(self, origin: str) -> None:
        super().__init__(
            f"Pages of {origin} may not talk to this agent. Add the origin to the agent's allowed origins."
        )


class TurnFailedError(UnavailableError):
    code = "turn_failed"

    def __init__(self) -> None:
        super().__init__("This message could not be answered just now. It is kept; please try again.")
