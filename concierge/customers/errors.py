from concierge.kit.errors import ForbiddenError


class VisitorEndedError(ForbiddenError):
    code = "visitor_ended"

    def __init__(self) -> None:
        super().__init__("This visitor said goodbye on this device. Ask for a new visitor's token to go on.")
