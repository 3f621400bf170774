from concierge.kit.errors import ConflictError


class EventIdReusedError(ConflictError):
    code = "event_id_reused"

    def __init__(self) -> None:
        super().__init__("An event with this id was already told, and it said something else. Use a new id.")
