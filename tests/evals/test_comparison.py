"""The comparison with other systems: everyone is scored alike, and who is not installed is not measured."""

import asyncio
import json
from pathlib import Path

import pytest

from concierge.entrypoints.evaluation import EvalDocument, RetrievalQuery
from concierge.entrypoints.evaluation.retrieval import RetrievalReport
from concierge.knowledge.metrics import ndcg
from evals import comparison, corpora
from evals.chunking import Row
from evals.comparison import PeerReport, best_of, compare
from evals.measure import checks_above, chunking_checks
from evals.paragraphs import overlaps

QUERIES = [RetrievalQuery("one", frozenset("a")), RetrievalQuery("two", frozenset("bc"))]


def report(value: float) -> RetrievalReport:
    return RetrievalReport(2, value, 0.5, 1.0, 1.0, 2.0, ())


def row(chunking: str, scoring: str, recall: float) -> Row:
    return Row(chunking, scoring, recall, {}, 1, 1)


def test_a_peer_is_shown_at_its_best_setting() -> None:
    settings = {"poor": [["x", "a"], ["x"]], "good": [["a"], ["b", "x", "c"]], "none": [[], []]}
    best = best_of("peer", settings, QUERIES)
    assert (best.setting, best.tried, best.queries) == ("good", 3, 2)
    assert best.ndcg_10 == (1 + ndcg(["b", "x", "c"], set("bc"))) / 2
    assert (best.hit_1, best.hit_5) == (1.0, 1.0)


def test_a_ranking_for_every_question_is_needed() -> None:
    with pytest.raises(ValueError, match="longer"):
        best_of("peer", {"short": [["a"]]}, QUERIES)


def test_the_product_has_to_be_above_everyone() -> None:
    reports = {"hybrid": report(0.5), "BM25 alone": report(0.4)}
    peers = [PeerReport("even", "", 1, 2, 0.5, 0, 0), PeerReport("worse", "", 1, 2, 0.3, 0, 0)]
    checks = checks_above(reports, peers)
    assert [(check.figure, check.met) for check in checks] == [
        ("nDCG@10 above BM25 alone", True),
        ("nDCG@10 above even", False),
        ("nDCG@10 above worse", True),
    ]


def test_chunking_has_to_gain_on_the_baseline_and_be_above_everyone() -> None:
    rows = [row("late semantic", "hybrid + neighbors", 80.0), row("recursive 1000/200", "vectors", 64.0)]
    peers = [row("peer, 256 tokens", "hybrid", 81.0)]
    assert [(check.value, check.met) for check in chunking_checks(rows, peers)] == [
        (1.25, True),
        (80.0, False),
    ]


def test_nothing_is_measured_where_the_peers_are_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(comparison, "PEERS_PYTHON", tmp_path / "python")
    documents = [EvalDocument("a", "a.md", b"text")]
    assert asyncio.run(compare("mtrag_cloud", documents, QUERIES, tmp_path)) == []
    assert not list(tmp_path.iterdir())


def peer(folder: Path, script: str) -> Path:
    """Stands in for the python of the peers' environment; called as `python -m MODULE JOB OUT CACHE`."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def test_a_peers_rankings_are_asked_for_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = json.dumps({"versions": {}, "rankings": {"peer": {"as it is": [["a"], ["b"]]}}})
    script = f"echo >> {tmp_path}/calls; grep -q Title $3 && grep -qv front $3 && echo '{answer}' > $4"
    monkeypatch.setattr(comparison, "PEERS_PYTHON", peer(tmp_path, script))
    documents = [EvalDocument("a", "a.md", b"---\ntitle: Title\n---\n\ntext")]
    first = asyncio.run(compare("mtrag_cloud", documents, QUERIES, tmp_path))
    again = asyncio.run(compare("mtrag_cloud", documents, QUERIES, tmp_path))
    assert first == again == [best_of("peer", {"as it is": [["a"], ["b"]]}, QUERIES)]
    assert len((tmp_path / "calls").read_text("utf-8").splitlines()) == 1


def test_a_peer_that_fails_says_which_set_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(comparison, "PEERS_PYTHON", peer(tmp_path, "exit 3"))
    with pytest.raises(RuntimeError, match="mtrag_cloud"):
        asyncio.run(compare("mtrag_cloud", [], QUERIES, tmp_path))


@pytest.mark.parametrize(
    ("stretch", "expected"),
    [((0, 10), [0]), ((8, 13), [1, 0]), ((5, 31), [1, 0, 2]), ((10, 10), []), ((30, 40), [2])],
)
def test_a_passage_holds_the_paragraphs_it_reaches_into(
    stretch: tuple[int, int], expected: list[int]
) -> None:
    assert overlaps(*stretch, [10, 20, 15]) == expected


def test_paragraphs_and_their_questions_agree(tmp_path: Path) -> None:
    folder = tmp_path / "squad2_half"
    folder.mkdir()
    article = {"doc_id": "Oak_tree", "text": "Oak is hard.\n\nPine is soft.", "paragraph_starts": [0, 14]}
    question = {"doc_id": "Oak_tree", "paragraph": 1, "question": "What is soft?", "is_impossible": False}
    (folder / "dev_docs.jsonl").write_text(json.dumps(article) + "\n", "utf-8")
    rows = [question, {**question, "is_impossible": True}]
    (folder / "dev.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    documents = corpora.squad_paragraphs(tmp_path)
    assert [document.id for document in documents] == ["Oak_tree#0", "Oak_tree#1"]
    assert documents[1].data.decode().endswith("title: Oak tree\n---\n\nPine is soft.")
    [query] = corpora.squad_paragraph_queries(tmp_path)
    assert query.relevant == {"Oak_tree#1"}
    assert corpora.squad_paragraph_lengths(tmp_path) == {"Oak_tree": [9, 10]}


def test_a_follow_up_brings_what_was_asked_before(tmp_path: Path) -> None:
    folder = tmp_path / "mtrag_cloud"
    folder.mkdir()
    asked = {
        "last_turn": "And how much is it?",
        "user_turns": "|user|: Is there a widget?\n|user|: And how much is it?",
        "gold_passages": ["p1"],
    }
    (folder / "dev.jsonl").write_text(json.dumps(asked), "utf-8")
    assert corpora.mtrag_followups(tmp_path) == [
        RetrievalQuery("And how much is it?", frozenset(["p1"]), ("Is there a widget?",))
    ]
