"""A small shop's feed, and what is done with feeds over HTTP."""

from typing import Any
from uuid import UUID

import httpx

from tests.factories.tenants import Tenant

GOODS = """id,title,description,link,price,availability,material
1,Oak Table,A table for six.,https://shop.example/oak,349.00 EUR,in_stock,Oak
2,Palm Lamp,Warm light for a desk.,https://shop.example/lamp,59.90 EUR,out of stock,Palm leaf
3,Wool Rug,Woven by hand.,https://shop.example/rug,1299.00 EUR,preorder,Wool
"""


async def give(
    tenant: Tenant, data: str | bytes | None, *, name: str = "goods.csv", path: str = "", **form: Any
) -> httpx.Response:
    """Give a feed as a file, or by its address in the form."""
    content = data.encode() if isinstance(data, str) else data
    return await tenant.client.post(
        f"/api/v1/knowledge/packs/{tenant.pack_id}/feeds{path}",
        headers=tenant.owner,
        data=form,
        files=None if content is None else {"file": (name, content)},
    )


async def preview(tenant: Tenant, data: str | bytes, **form: Any) -> dict[str, Any]:
    response = await give(tenant, data, path="/preview", **form)
    assert response.status_code == 200, response.text
    return response.json()


async def refused(tenant: Tenant, data: str | bytes, **form: Any) -> tuple[str, str]:
    response = await give(tenant, data, path="/preview", **form)
    assert response.status_code in {413, 422}, response.text
    return response.json()["code"], response.json()["detail"]


async def read(tenant: Tenant, data: str | bytes, **form: Any) -> UUID:
    """Add a feed and read it, here and now."""
    response = await give(tenant, data, **form)
    assert response.status_code == 202, response.text
    source_id = UUID(response.json()["id"])
    await tenant.platform.ingestion.run(tenant.scope, source_id)
    return source_id
