"""How a website is to be read, and what reading it has shown."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

Pattern = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]
Patterns = Annotated[list[Pattern], Field(max_length=50)]
MOST_PAGES = 10_000


class WebsiteOptions(BaseModel):
    """`auto` reads the sitemap, and follows links where there is none.

    A pattern with `*` is compared with a page's path and address, one without with their beginnings.
    """

    mode: Literal["auto", "sitemap", "crawl"] = "auto"
    include: Patterns = []
    exclude: Patterns = []
    max_depth: int = Field(default=5, ge=0, le=50)
    max_pages: int = Field(default=500, ge=1, le=MOST_PAGES)
    same_site: bool = True
    respect_robots: bool = True
    delay_seconds: float | None = Field(default=None, ge=0, le=60)


class WebsiteSeen(BaseModel):
    """What a run has found out about a site, kept for the next one. `boilerplate` are hashes of its repeated blocks."""

    by_sitemap: bool = False
    beyond_limit: int = 0
    trapped: int = 0
    boilerplate: list[str] = []
    dropped_blocks: int = 0

    def notes(self, max_pages: int) -> list[str]:
        """Say it to the person who added the site."""
        told: list[str] = []
        if self.beyond_limit:
            told.append(
                f"The limit of {max_pages:,} pages was reached; {self.beyond_limit:,} more addresses were seen. "
                "Raise the limit, or say which parts to include."
            )
        if self.trapped:
            told.append(
                f"{self.trapped:,} addresses were passed over because they lead on without end, as calendars do."
            )
        if self.dropped_blocks:
            told.append(
                f"{len(self.boilerplate):,} blocks that repeat on many pages, such as notices and footers, "
                "were left out."
            )
        return told
