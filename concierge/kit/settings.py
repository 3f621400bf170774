"""Every setting of the product: read once from the environment (`CONCIERGE_…`), then passed down."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, HttpUrl, PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

CHECKOUT = Path(__file__).parents[2]


def default_data_dir() -> Path:
    """A checkout keeps its data beside itself, an installed package in the user's data folder."""
    if (CHECKOUT / "pyproject.toml").exists():
        return CHECKOUT / ".data"
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "concierge"


class Limits(BaseModel):
    """Sizes and times beyond which a request is refused."""

    message_chars: Annotated[int, Field(description="Longest visitor message, in characters.")] = 20_000
    upload_bytes: Annotated[int, Field(description="Largest uploaded file, in bytes.")] = 50 * 1024 * 1024
    body_bytes: Annotated[int, Field(description="Largest request body that is not an upload.")] = (
        2 * 1024 * 1024
    )
    fetch_seconds: Annotated[float, Field(description="Time allowed to fetch one URL.")] = 20.0
    fetch_bytes: Annotated[int, Field(description="Largest page fetched from a URL.")] = 20 * 1024 * 1024
    turn_seconds: Annotated[float, Field(description="Time a turn may take before it is given up.")] = 60.0


class Tokens(BaseModel):
    """How long each kind of token is good for."""

    access_minutes: Annotated[int, Field(description="Life of a member's access token.")] = 15
    refresh_days: Annotated[int, Field(description="Life of a session that is not used.")] = 30
    visitor_days: Annotated[int, Field(description="Life of a visitor's token.")] = 30


class Reranking(BaseModel):
    """A hosted cross-encoder that looks at the best passages of a search; none by default."""

    url: Annotated[
        HttpUrl | None,
        Field(
            description="Whole address of a reranker, such as `https://api.jina.ai/v1/rerank`; empty: none."
        ),
    ] = None
    model: Annotated[str | None, Field(description="The reranker's model, where it has several.")] = None
    key: Annotated[SecretStr | None, Field(description="Its API key.")] = None
    seconds: Annotated[
        float, Field(description="Longest a search waits for it; then it goes on without.", gt=0, le=30)
    ] = 1.0


class LanguageModel(BaseModel):
    """The language model that settles what the product's own reading leaves open; none by default."""

    model: Annotated[
        str | None,
        Field(
            description="`openai:…`, `anthropic:…`, `google:…`, `ollama:…` or another model as pydantic-ai spells it; "
            "empty: none."
        ),
    ] = None
    key: Annotated[
        SecretStr | None,
        Field(
            description="Its API key; empty: what the vendor's own variable says, such as `OPENAI_API_KEY`."
        ),
    ] = None
    url: Annotated[
        HttpUrl | None,
        Field(
            description="Address of its server where that is not the vendor's own, such as `http://localhost:8080/v1`; "
            "with `openai:…`, any server that speaks Chat Completions."
        ),
    ] = None
    seconds: Annotated[
        float,
        Field(description="Longest a turn waits for it; then it goes on without.", gt=0, le=30),
    ] = 0.7


class Billing(BaseModel):
    """Which plan holds by default, and the Stripe account that sells plans; none by default."""

    default_plan: Annotated[
        str,
        Field(
            description="The plan of an organization that has no other: `basic`, `professional`, `enterprise`."
        ),
    ] = "basic"
    stripe_key: Annotated[
        SecretStr | None,
        Field(
            description="A secret or restricted key of a Stripe account; empty: owners set their plan themselves."
        ),
    ] = None
    stripe_webhook_secret: Annotated[
        SecretStr | None,
        Field(
            description="Signing secret of the account's webhook endpoint, `https://…/api/v1/billing/webhook`."
        ),
    ] = None
    stripe_url: Annotated[
        HttpUrl, Field(description="Address of Stripe's API, or of a server that stands in for it.")
    ] = HttpUrl("https://api.stripe.com")
    prices: Annotated[
        dict[str, str],
        Field(
            description='Stripe\'s price ids by plan, as JSON: `{"professional": "price_…"}`; or one variable for each, '
            "such as `CONCIERGE_BILLING__PRICES__PROFESSIONAL`."
        ),
    ] = {}


class WebSearching(BaseModel):
    """The provider of web search for agents that may use it; none by default."""

    provider: Annotated[
        Literal["serpapi", "brave", "tavily", "searxng"] | None,
        Field(description="`serpapi`, `brave`, `tavily` or `searxng`; empty: no web search."),
    ] = None
    url: Annotated[
        HttpUrl | None,
        Field(
            description="Whole address of its search where that is not the vendor's own; SearXNG, which everybody runs for "
            "themselves, needs it, such as `http://localhost:8080/search`, and must allow the format `json`."
        ),
    ] = None
    key: Annotated[SecretStr | None, Field(description="Its API key; SearXNG has none.")] = None
    seconds: Annotated[
        float,
        Field(
            description="Longest a turn waits for a search and the pages it found; then it goes on with what it has.",
            gt=0,
            le=30,
        ),
    ] = 8.0
    calls_per_hour: Annotated[
        int,
        Field(
            description="Most searches that an agent has the provider make in an hour of UTC.",
            ge=0,
            le=100_000,
        ),
    ] = 10


class WriterModel(BaseModel):
    """A language model that writes answers; none by default."""

    model: Annotated[
        str | None,
        Field(description="`openai:…`, `anthropic:…`, `google:…` or `ollama:…`; empty: none."),
    ] = None
    key: Annotated[
        SecretStr | None,
        Field(description="Its API key; empty: what the vendor's own variable says."),
    ] = None
    url: Annotated[
        HttpUrl | None,
        Field(description="Address of its server; with `openai:…`, any that speaks Chat Completions."),
    ] = None
    read_price: Annotated[
        Decimal | None,
        Field(description="US dollars for a million tokens it reads; empty: as listed.", ge=0),
    ] = None
    written_price: Annotated[
        Decimal | None,
        Field(description="US dollars for a million tokens it writes; empty: as listed.", ge=0),
    ] = None


class Writer(WriterModel):
    """The model that writes for agents whose organization names none; without it, the house writer does."""

    fallback: WriterModel = WriterModel()
    daily_usd: Annotated[
        Decimal | None,
        Field(
            description="Most US dollars it may cost in a day for each organization; empty: no limit.", ge=0
        ),
    ] = None
    monthly_usd: Annotated[
        Decimal | None,
        Field(description="Most US dollars it may cost in a month for each organization.", ge=0),
    ] = None


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(
        env_prefix="CONCIERGE_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    data_dir: Annotated[
        Path,
        Field(description="Where the embedded database, the model cache and the secret key live."),
    ] = default_data_dir()
    database_url: Annotated[
        PostgresDsn | None,
        Field(description="A PostgreSQL server of your own (owner's URL); empty: the embedded one."),
    ] = None
    database_pool: Annotated[int, Field(description="Most database connections of one process.", ge=2)] = 12
    secret_key: Annotated[
        SecretStr | None,
        Field(description="Signs tokens; empty: made once and kept in the data directory."),
    ] = None
    host: Annotated[str, Field(description="Address the server listens on.")] = "127.0.0.1"
    port: Annotated[int, Field(description="Port the server listens on.", ge=0, le=65535)] = 8000
    public_url: Annotated[
        str | None, Field(description="How people reach this server; empty: http://localhost:PORT.")
    ] = None
    embedding_model: Annotated[
        str, Field(description="`local:minilm`, or any pydantic-ai embedding model such as `openai:…`.")
    ] = "local:minilm"
    embedding_dimensions: Annotated[
        int,
        Field(
            description="How many numbers a vendor's model is asked for per text; the local one gives 384.",
            ge=1,
            le=3072,
        ),
    ] = 384
    worker: Annotated[bool, Field(description="Whether `serve` also runs background jobs.")] = True
    log_level: Annotated[str, Field(description="debug, info, warning or error.")] = "info"
    log_json: Annotated[bool, Field(description="One JSON object per log line.")] = False
    eval_data: Annotated[
        Path | None, Field(description="Folder of public data sets, for `make eval` and some benchmarks.")
    ] = None
    limits: Limits = Limits()
    tokens: Tokens = Tokens()
    reranker: Reranking = Reranking()
    llm: LanguageModel = LanguageModel()
    billing: Billing = Billing()
    web_search: WebSearching = WebSearching()
    writer: Writer = Writer()

    @property
    def origin(self) -> str:
        """The server's own origin, without a trailing slash."""
        return (self.public_url or f"http://localhost:{self.port}").rstrip("/")
