"""Why a document, an archive or a source was not taken in."""

from uuid import UUID

from concierge.kit.errors import ConflictError, InvalidInputError, NotFoundError


class ItemPassedOverError(InvalidInputError):
    """One thing to read that is not to be taken in, though nothing is wrong with it; `detail` says why."""

    status, code, title = 422, "item_skipped", "Passed over"


class DocumentRejectedError(InvalidInputError):
    """One document cannot be read; the others of its source are not affected.

    Codes: `document_empty`, `document_binary`, `document_corrupt`, `document_encrypted`, `document_too_large`,
    `document_too_complex`, `document_unsupported`, `archive_bomb`.
    """

    code, title = "document_corrupt", "The document could not be read"


class PackNotFoundError(NotFoundError):
    code = "knowledge_pack_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such knowledge pack.")


class SourceNotFoundError(NotFoundError):
    code = "source_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such source.")


class DocumentNotFoundError(NotFoundError):
    code = "document_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such document.")


class PackNameTakenError(ConflictError):
    code = "pack_name_taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is already a knowledge pack called “{name}”.")


class SourceBusyError(ConflictError):
    code = "source_busy"

    def __init__(self) -> None:
        super().__init__("This source is being read just now. Wait until it is done, or cancel it first.")


class SourceNotRunningError(ConflictError):
    code = "source_not_running"

    def __init__(self, wanted: str) -> None:
        super().__init__(f"This source is not being read, so there is nothing to {wanted}.")


class SourcePausedError(ConflictError):
    code = "source_paused"

    def __init__(self) -> None:
        super().__init__("Reading this source is paused. Resume it, or cancel it first.")


class SourceNotPausedError(ConflictError):
    code = "source_not_paused"

    def __init__(self) -> None:
        super().__init__("This source is not paused, so there is nothing to resume.")


class SourceNotFetchedError(ConflictError):
    code = "source_not_fetched"

    def __init__(self) -> None:
        super().__init__(
            "This source was given to us as it is, so there is nowhere to read it anew. To update it, add it again."
        )


class SourceNotTextError(ConflictError):
    code = "source_not_text"

    def __init__(self) -> None:
        super().__init__("This source was not typed as a text, so there is no text of it to change.")


class SourceTitleTakenError(ConflictError):
    code = "source_title_taken"

    def __init__(self, title: str) -> None:
        super().__init__(f"There is already a text called “{title}” in this pack.")


class ItemNotFoundError(NotFoundError):
    code = "source_item_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such document in this source.")


class ItemNotFailedError(ConflictError):
    code = "source_item_not_failed"

    def __init__(self) -> None:
        super().__init__("Only a document that could not be read can be tried again.")


class FaqNotFoundError(NotFoundError):
    code = "faq_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such question–answer pair in this pack.")


class QuestionTakenError(ConflictError):
    code = "question_taken"

    def __init__(self, question: str, faq_id: UUID) -> None:
        super().__init__(
            f"There is already an answer to “{question}” in this pack. Change that one, or remove it first.",
            extra={"faq_id": str(faq_id)},
        )


class FaqFromFeedError(ConflictError):
    code = "faq_from_feed"

    def __init__(self) -> None:
        super().__init__("This pair comes from a feed, which would bring it back. Change it there.")


class PackArchiveError(InvalidInputError):
    code, title = "pack_archive_invalid", "The archive could not be imported"


class ContradictionNotFoundError(NotFoundError):
    code = "contradiction_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such contradiction. It is gone when one of its documents is changed or removed."
        )


class IndexNotFoundError(NotFoundError):
    code = "pack_index_not_found"

    def __init__(self) -> None:
        super().__init__(
            "There is no such index of this pack. An old one is gone some time after its successor took over."
        )


class IndexBuildingError(ConflictError):
    code = "pack_index_building"

    def __init__(self) -> None:
        super().__init__(
            "An index of this pack is being built already. Wait until it is done, or cancel it first."
        )


class IndexInUseError(ConflictError):
    code = "pack_index_in_use"

    def __init__(self) -> None:
        super().__init__(
            "This index answers the pack's questions. Build another one, which then takes its place."
        )


class IndexPlanError(InvalidInputError):
    """An index cannot be made as it was asked for."""

    code, title = "pack_index_impossible", "The index cannot be built this way"
