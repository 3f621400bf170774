from collections.abc import Sequence

from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError, TooLargeError


class ProductNotFoundError(NotFoundError):
    code = "product_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such product.")


class PromotionNotFoundError(NotFoundError):
    code = "promotion_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such promotion.")


class EntryNotFoundError(NotFoundError):
    code = "entry_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such entry.")


class SkuTakenError(ConflictError):
    code = "sku_taken"

    def __init__(self, sku: str) -> None:
        super().__init__(f"There is already a product with the article number “{sku}”.")


class SkusUnknownError(NotFoundError):
    code = "skus_not_found"

    def __init__(self, skus: Sequence[str]) -> None:
        shown = ", ".join(f"“{sku}”" for sku in skus[:5])
        super().__init__(f"There are no products with these article numbers: {shown}.")


class TooManyPromotionsError(ConflictError):
    code = "too_many_promotions"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} promotions already, which is the most. Delete one that is over.")


class TooManyEntriesError(ConflictError):
    code = "too_many_entries"

    def __init__(self, most: int) -> None:
        super().__init__(f"There are {most} entries already, which is the most. Delete one first.")


class ChangeRefusedError(InvalidInputError):
    """What a row would become does not hold together."""


class ImportUnreadableError(InvalidInputError):
    """Nothing of a file can be imported, and why."""

    code = "import_unreadable"


class ImportTooLargeError(TooLargeError):
    code = "import_too_large"
