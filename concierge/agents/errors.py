from collections.abc import Iterable

from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError


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


class PersonaNotFoundError(NotFoundError):
    code = "persona_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such persona.")


class PersonaVersionNotFoundError(NotFoundError):
    code = "persona_version_not_found"

    def __init__(self) -> None:
        super().__init__("This persona has no such version.")


class TemplateNotFoundError(NotFoundError):
    code = "persona_template_not_found"

    def __init__(self, known: Iterable[str]) -> None:
        super().__init__(f"There is no such template. The templates are: {', '.join(known)}.")


class TacticsUnknownError(InvalidInputError):
    code = "tactics_unknown"

    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        named = ", ".join(f"“{name}”" for name in unknown)
        super().__init__(
            f"Nothing is known of {named}. Take one of {', '.join(known)}, or give a step of your own a sentence of guidance."
        )


class PersonaNameTakenError(ConflictError):
    code = "persona_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a persona called “{name}”.")


class PersonaInUseError(ConflictError):
    code = "persona_in_use"

    def __init__(self, agents: Iterable[str]) -> None:
        named = ", ".join(f"“{name}”" for name in agents)
        super().__init__(f"This persona is used by {named}. Give them another one first.")


class TooManyPersonasError(ConflictError):
    code = "too_many_personas"

    def __init__(self, most: int) -> None:
        super().__init__(f"An organization has {most} personas at most. Delete one that no agent needs.")


class LanguageModelNotFoundError(NotFoundError):
    code = "language_model_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such language model.")


class LanguageModelNameTakenError(ConflictError):
    code = "language_model_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a language model called “{name}”.")


class LanguageModelInUseError(ConflictError):
    code = "language_model_in_use"

    def __init__(self) -> None:
        super().__init__(
            "This language model writes for the organization or one of its agents. Give them another one first."
        )


class TooManyLanguageModelsError(ConflictError):
    code = "too_many_language_models"

    def __init__(self, most: int) -> None:
        super().__init__(f"An organization has {most} language models at most. Delete one that nobody needs.")


class LanguageModelUnusableError(InvalidInputError):
    code = "language_model_unusable"
