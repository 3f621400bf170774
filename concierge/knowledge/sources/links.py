"""What a page says to a crawler: where it leads, where it stands for good, and whether it wants to be found. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lxml import html
from lxml.etree import ParserError

from concierge.knowledge.sources.addresses import normalized, site_of

MAX_LINKS: Final = 2_000
_ROBOTS: Final = "//meta[translate(@name,'ROBTS','robts')='robots' or translate(@name,'CONIERG','conierg')='concierge']/@content"
# A form that asks for a password, on a page that is hardly more than that, is a way in, not a page.
_SIGN_IN: Final = "//input[translate(@type,'PASWORD','pasword')='password']"


@dataclass(frozen=True, slots=True)
class Signs:
    """`links` are normalized and in order, each once; `canonical` is the page's own address for good, on its own site."""

    links: tuple[str, ...] = ()
    canonical: str | None = None
    indexed: bool = True
    followed: bool = True
    asks_to_sign_in: bool = False


def signs_of(page: bytes, address: str) -> Signs:
    """Read the signs of an HTML page at `address`. What is no HTML has none."""
    parser = html.HTMLParser(no_network=True, huge_tree=False, remove_pis=True)
    try:
        tree = html.document_fromstring(page, parser=parser)
    except (ParserError, ValueError, AssertionError):
        return Signs()
    base = next(iter(_all(tree, "//base/@href")), None)
    root = normalized(base, address) or address if base else address
    directives = {word.strip().lower() for content in _all(tree, _ROBOTS) for word in content.split(",")}
    return Signs(
        links=_links(tree, root),
        canonical=_canonical(tree, root, address),
        indexed=directives.isdisjoint({"noindex", "none"}),
        followed=directives.isdisjoint({"nofollow", "none"}),
        asks_to_sign_in=bool(_all(tree, _SIGN_IN)) and len(_all(tree, "//p")) < 3,
    )


def _links(tree: html.HtmlElement, root: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for href in _all(tree, "//a[@href][not(contains(concat(' ', @rel, ' '), ' nofollow '))]/@href"):
        if (link := normalized(href, root)) is not None:
            found[link] = None
        if len(found) >= MAX_LINKS:
            break
    return tuple(found)


def _canonical(tree: html.HtmlElement, root: str, address: str) -> str | None:
    for href in _all(tree, "//link[translate(@rel,'CANOIL','canoil')='canonical']/@href"):
        canonical = normalized(href, root)
        if canonical is not None and site_of(canonical) == site_of(address):
            return canonical
    return None


def _all(tree: html.HtmlElement, path: str) -> Sequence[str]:
    found = tree.xpath(path)
    return [str(item) for item in found] if isinstance(found, list) else []
