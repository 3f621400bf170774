from concierge.kit.errors import ConflictError, NotFoundError


class AgentNotFoundError(NotFoundError):
    code = "agent_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such agent.")


class PackOfAgentNotFoundError(NotFoundError):
    code = "knowledge_pack_not_found"

    def __init__(self) -> None:
        super().__init__("One of these knowledge packs does not exist.")


class SlugTakenError(ConflictError):
    code = "slug_taken"

    def __init__(self, slug: str) -> None:
        super().__init__(f"There is already an agent with the short name “{slug}”.")
