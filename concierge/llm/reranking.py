"""A cross-encoder somebody hosts, where one is configured: it reads the question and each passage together.

Cohere, Jina, Voyage, Mixedbread, vLLM and Hugging Face's text-embeddings-inference answer `POST …/rerank` alike but for
two names, so one client speaks to all of them. A search never waits long for it, and goes on without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from pydantic import BaseModel, SecretStr, TypeAdapter

from concierge.kit.fetch import default_tls

logger = structlog.get_logger(__name__)

MAX_REPLY_BYTES = 1024 * 1024


class _Scored(BaseModel):
    """`relevance_score` with Cohere and Jina, `score` with text-embeddings-inference; 0 to 1."""

    index: int
    relevance_score: float | None = None
    score: float | None = None


_SCORED = TypeAdapter(list[_Scored])


@dataclass(frozen=True, slots=True)
class HostedReranker:
    """`url` is the whole address, such as https://api.jina.ai/v1/rerank; `seconds` is the longest a search waits."""

    url: str
    model: str | None
    key: SecretStr | None
    seconds: float

    async def scores(self, question: str, passages: Sequence[str]) -> list[float] | None:
        """Return how well each passage answers, 0 to 1; None when it could not be had in time, which is logged."""
        try:
            reply = await self._ask(question, passages)
            return _in_order(reply, len(passages))
        except (httpx2.HTTPError, ValueError, TypeError, AttributeError) as error:
            logger.warning("reranker gave no scores", reason=type(error).__name__)
            return None

    async def _ask(self, question: str, passages: Sequence[str]) -> Any:
        headers = {} if self.key is None else {"Authorization": f"Bearer {self.key.get_secret_value()}"}
        body = {
            "query": question,
            "documents": list(passages),
            "texts": list(passages),
            "top_n": len(passages),
            "return_documents": False,
            **({"model": self.model} if self.model else {}),
        }
        async with httpx2.AsyncClient(
            timeout=self.seconds, headers=headers, trust_env=False, verify=default_tls()
        ) as client:
            response = await client.post(self.url, json=body)
        response.raise_for_status()
        if len(response.content) > MAX_REPLY_BYTES:
            raise ValueError("the reply is too large")
        return response.json()


def _in_order(reply: Any, count: int) -> list[float]:
    rows = reply if isinstance(reply, list) else reply.get("results", reply.get("data"))
    scores: list[float | None] = [None] * count
    for row in _SCORED.validate_python(rows):
        value = row.relevance_score if row.relevance_score is not None else row.score
        if not 0 <= row.index < count or value is None:
            raise ValueError("the reply names a passage that was not sent")
        scores[row.index] = min(1.0, max(0.0, value))
    if any(score is None for score in scores):
        raise ValueError("the reply leaves out a passage")
    return [score for score in scores if score is not None]
