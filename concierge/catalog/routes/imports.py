"""Files of products over HTTP."""

from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, File, Form, Request, UploadFile
from pydantic import ValidationError

from concierge.accounts.access import scope_with
from concierge.accounts.scope import Permission, TenantScope
from concierge.catalog.errors import ImportTooLargeError
from concierge.catalog.routes.parts import Catalog, catalog
from concierge.catalog.schemas.imports import ImportReport, Mapping
from concierge.catalog.service.importing import Import
from concierge.kit.errors import InvalidInputError

router = APIRouter(prefix="/api/v1/catalog", tags=["catalog"])

HOW = 'Which column is what, as JSON: {"Art. no.": "sku", "Name": "title", "Internal": "ignore"}'


@router.post("/import")
async def import_products(
    request: Request,
    scope: Annotated[TenantScope, scope_with(Permission.CATALOG_WRITE)],
    parts: Annotated[Catalog, Depends(catalog)],
    file: Annotated[UploadFile, File(description="CSV, JSON, JSON Lines, or the XML of a shopping feed.")],
    mapping: Annotated[str, Form(description=HOW, max_length=20_000)] = "{}",
    dry_run: Annotated[bool, Form(description="Only say what would happen.")] = False,  # noqa: FBT002  # A form field.
    replace: Annotated[  # noqa: FBT002  # A form field.
        bool, Form(description="Remove products that are not in the file.")
    ] = False,
) -> ImportReport:
    """Import products by their article numbers. Rows that cannot be read are told of; the others are imported.

    Columns that `mapping` does not name are guessed by their names. Products are found by their words at once, and by
    their meaning as soon as a background job has read them.
    """
    limit: int = request.app.state.limits.upload_bytes
    if file.size is not None and file.size > limit:
        raise ImportTooLargeError(f"The file is larger than {limit // 1024**2} MB. Split it.")
    wanted = Import(cast("Any", file.file), _mapping(mapping), dry_run=dry_run, replace=replace)
    return await parts.imports.run(scope, wanted)


def _mapping(text: str) -> dict[str, str]:
    try:
        return Mapping.model_validate_json(f'{{"columns": {text or "{}"}}}').columns
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise InvalidInputError(
            f"The mapping is not valid: {message}. It looks like {{“Name”: “title”}}.",
            code="import_mapping_invalid",
        ) from None
