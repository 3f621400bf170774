"""What a browser sees: the demo shop with the widget, or a plain welcome where no demo is loaded."""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from concierge.entrypoints.demo.credentials import DemoCredentials
from concierge.kit.errors import NotFoundError

router = APIRouter(include_in_schema=False)

WEB = Path(__file__).parents[1] / "web"
SHOP = Path(__file__).parents[1] / "demo" / "shop"
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": PAGE_POLICY,
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
WIDGET_HEADERS = {
    "Cache-Control": "public, max-age=300, stale-while-revalidate=86400",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


@dataclass(frozen=True, slots=True)
class Asset:
    body: bytes
    etag: str


@cache
def asset(path: Path, modified: float) -> Asset:  # noqa: ARG001  # A changed file is another asset.
    body = path.read_bytes()
    return Asset(body, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


@router.get("/")
async def home(request: Request) -> HTMLResponse:
    demo = DemoCredentials.load(request.app.state.platform.settings.data_dir)
    if demo is None:
        return HTMLResponse((WEB / "welcome.html").read_text(encoding="utf-8"), headers=PAGE_HEADERS)
    page = (SHOP / "index.html").read_text(encoding="utf-8")
    page = page.replace("{{ agent_id }}", str(demo.agent_id))
    page = page.replace("{{ publishable_key }}", demo.publishable_key)
    return HTMLResponse(page, headers=PAGE_HEADERS)


@router.get("/shop.css")
async def shop_css(request: Request) -> Response:
    return _file(request, SHOP / "shop.css", "text/css; charset=utf-8", {"Cache-Control": "no-cache"})


@router.get("/welcome.css")
async def welcome_css(request: Request) -> Response:
    return _file(request, WEB / "welcome.css", "text/css; charset=utf-8", {"Cache-Control": "no-cache"})


@router.get("/widget.js")
async def widget_js(request: Request) -> Response:
    """Serve the chat widget, the one script a site includes."""
    path = WEB / "static" / "widget.js"
    if not path.exists():
        raise NotFoundError("The widget is not built. Run `make web`, then reload.", code="widget_not_built")
    return _file(request, path, "text/javascript; charset=utf-8", WIDGET_HEADERS)


def _file(request: Request, path: Path, media_type: str, headers: dict[str, str]) -> Response:
    found = asset(path, path.stat().st_mtime)
    headers = {**headers, "ETag": found.etag}
    if request.headers.get("if-none-match") == found.etag:
        return Response(status_code=304, headers=headers)
    return Response(found.body, media_type=media_type, headers=headers)
