from collections.abc import Iterable

from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError


class RuleNotFoundError(NotFoundError):
    code = "rule_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such rule.")


class AttributeNotFoundError(NotFoundError):
    code = "attribute_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such attribute.")


class OverrideNotFoundError(NotFoundError):
    code = "override_not_found"

    def __init__(self) -> None:
        super().__init__("Nobody has corrected this reading.")


class TooManyRulesError(ConflictError):
    code = "too_many_rules"

    def __init__(self, most: int) -> None:
        super().__init__(
            f"There are {most} rules already, which is the most. Delete one, or add to one of them."
        )


class TooManyAttributesError(ConflictError):
    code = "too_many_attributes"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} attributes already, which is the most. Delete one first.")


class AttributeNameTakenError(ConflictError):
    code = "attribute_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already an attribute called “{name}”.")


class AttributeInUseError(ConflictError):
    code = "attribute_in_use"

    def __init__(self, rules: Iterable[str]) -> None:
        named = ", ".join(f"“{name}”" for name in rules)
        super().__init__(f"What would be gone is set by a rule. Change or delete first: {named}.")


class DimensionUnknownError(InvalidInputError):
    code = "dimension_unknown"

    def __init__(self, dimension: str, known: Iterable[str]) -> None:
        super().__init__(
            f"There is no dimension “{dimension}” to be set here. There are: {', '.join(known)}."
        )


class ValueNotAllowedError(InvalidInputError):
    code = "value_not_allowed"

    def __init__(self, dimension: str, expected: str) -> None:
        super().__init__(f"This is no value of “{dimension}”. Give {expected}.")
