"""A hosted cross-encoder, over a local server that answers as the vendors do; whatever it does, a search goes on."""

import asyncio
import json

import pytest

from concierge.llm.reranking import HostedReranker
from tests.llm.rerankers import cohere, hosted

pytestmark = pytest.mark.anyio

PASSAGES = ["We deliver to Norway.", "Returns are free for 30 days.", "The sofa weighs 58 kg."]


async def test_scores_come_back_in_the_order_of_the_passages() -> None:
    async with hosted(cohere((1, 0.93), (0, 0.2), (2, 0.01))) as (reranker, requests):
        assert await reranker.scores("How long can I return it?", PASSAGES) == [0.2, 0.93, 0.01]

    head, body = requests[0]
    assert "authorization: bearer secret-key" in head.lower()
    assert body["query"] == "How long can I return it?"
    assert body["documents"] == PASSAGES
    assert body["model"] == "rerank-v3"


async def test_the_form_of_text_embeddings_inference_is_read_too() -> None:
    reply = json.dumps([{"index": index, "score": score} for index, score in ((2, 0.5), (0, 1.7), (1, -2))])
    async with hosted(reply.encode()) as (reranker, _):
        assert await reranker.scores("?", PASSAGES) == [1.0, 0.0, 0.5]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{}", "500 Internal Server Error"),
        (b'{"message": "slow down"}', "429 Too Many Requests"),
        (b"not json", "200 OK"),
        (b'{"results": "none"}', "200 OK"),
        (cohere((0, 0.1), (1, 0.2)), "200 OK"),
        (cohere((0, 0.1), (1, 0.2), (7, 0.3)), "200 OK"),
        (b"null", "200 OK"),
    ],
)
async def test_a_reply_that_is_of_no_use_leaves_the_search_without_scores(body: bytes, status: str) -> None:
    async with hosted(body, status) as (reranker, _):
        assert await reranker.scores("?", PASSAGES) is None


async def test_a_slow_or_absent_reranker_is_not_waited_for() -> None:
    async with hosted(cohere((0, 0.1), (1, 0.2), (2, 0.3)), delay_s=5) as (slow, _):
        async with asyncio.timeout(2):
            assert await slow.scores("?", PASSAGES) is None
    assert await HostedReranker("http://127.0.0.1:9/rerank", None, None, 0.5).scores("?", PASSAGES) is None
