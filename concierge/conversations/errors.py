from concierge.kit.errors import InvalidInputError, NotFoundError


class ConversationNotFoundError(NotFoundError):
    code = "conversation_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such conversation.")


class TurnNotFoundError(NotFoundError):
    code = "turn_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such turn.")


class IdempotencyKeyReusedError(InvalidInputError):
    code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was already used for a different message. Use a new one.")


class TurnAlreadyStartedError(Exception):
    """Another request with the same key was a moment earlier; read its turn instead."""
