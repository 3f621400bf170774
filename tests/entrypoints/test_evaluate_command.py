"""`concierge eval` measures a small corpus, leaves nothing behind, and says which line of a file is wrong."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from concierge.entrypoints.cli.main import app
from concierge.entrypoints.wiring import DatabaseAddress
from concierge.kit.errors import ConciergeError
from concierge.llm.embeddings import LocalEmbedder

CORPUS = [
    {"id": "returns", "title": "Returns", "text": "You may send anything back within 30 days of delivery."},
    {"id": "shipping", "title": "Shipping", "text": "We deliver to Norway within five working days."},
    {"id": "care", "title": "Care", "text": "Oil the oak table twice a year with linseed oil."},
    {"id": "warranty", "title": "Warranty", "text": "Every frame has a warranty of ten years."},
    {"id": "story", "title": "Our story", "text": "The workshop was founded in Bergen by two sisters."},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Where a corpus and questions about it are."""
    corpus, queries = tmp_path / "corpus.jsonl", tmp_path / "queries.jsonl"
    write(corpus, CORPUS)
    return corpus, queries


@pytest.fixture
def installation(
    database: DatabaseAddress, embedder: LocalEmbedder, shared_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> DatabaseAddress:
    """The command finds this worker's database and the model that `embedder` has converted."""
    assert embedder.name
    # A URL needs a host; the folder of the socket, which it names later, wins.
    monkeypatch.setenv("CONCIERGE_DATABASE_URL", database.owner_url.replace("@/", "@localhost/"))
    monkeypatch.setenv("CONCIERGE_DATA_DIR", str(shared_folder))
    return database


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def run(command: str, corpus: Path, queries: Path, *options: str) -> Result:
    arguments = ["eval", command, "--corpus", str(corpus), "--queries", str(queries), *options]
    return CliRunner().invoke(app, arguments, catch_exceptions=True)


def complaint(command: str, corpus: Path, queries: Path) -> str:
    error = run(command, corpus, queries).exception
    assert isinstance(error, ConciergeError)
    return error.detail


def organizations(database: DatabaseAddress) -> int:
    conninfo = database.owner_url.replace("postgresql+psycopg://", "postgresql://", 1)
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT count(*) FROM organizations WHERE name = 'Evaluation'").fetchall()
    return rows[0][0]


def test_retrieval_is_measured_and_leaves_nothing_behind(
    files: tuple[Path, Path], installation: DatabaseAddress
) -> None:
    corpus, queries = files
    write(
        queries,
        [
            {"query": "How long do I have to return a chair?", "relevant": ["returns"]},
            {"query": "What is the warranty on the frame?", "relevant": ["warranty"]},
        ],
    )

    result = run("retrieval", corpus, queries, "--json")

    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["documents"], figures["queries"]) == (5, 2)
    assert (figures["ndcg_10"], figures["hit_1"], figures["hit_5"]) == (1.0, 1.0, 1.0)
    assert figures["rows"][0]["ranking"][0] == "returns"
    assert figures["milliseconds_p95"] >= figures["milliseconds_p50"] > 0
    assert organizations(installation) == 0


def test_answers_are_measured(files: tuple[Path, Path], installation: DatabaseAddress) -> None:
    corpus, queries = files
    write(
        queries,
        [
            {"query": "How many days do I have to send it back?", "answer": ["30 days"], "page": "returns"},
            {"query": "Who is the president of France?", "answerable": False},
        ],
    )

    result = run("answers", corpus, queries, "--json")

    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert (figures["hit"], figures["page_cited"]) == (1.0, 1.0)
    assert figures["abstention"] == {"precision": 1.0, "recall": 1.0, "answered": 1.0}
    assert figures["rows"][0]["answer"].startswith("You")
    assert organizations(installation) == 0


def test_without_json_the_figures_are_a_table(
    files: tuple[Path, Path], installation: DatabaseAddress
) -> None:
    corpus, queries = files
    assert installation.owner_url
    write(queries, [{"query": "Where was the workshop founded?", "relevant": ["story"]}])

    result = run("retrieval", corpus, queries)

    assert result.exit_code == 0, result.output
    assert "nDCG@10" in result.stdout
    assert "100.0%" in result.stdout


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"query": "x"}', "line 2: `relevant` is missing"),
        ('{"query": "x", "relevant": []}', "line 2: `relevant` must name at least one document"),
        ('{"query": "x", "relevant": [7]}', "line 2: `relevant` must be a list of texts"),
        ('{"query": " ", "relevant": ["care"]}', "line 2: `query` is empty"),
        ('{"query": "x", "relevant": ["care"]', "line 2: this is no JSON"),
        ("[1]", "line 2: a JSON object is expected"),
        ('{"query": "x", "relevant": ["sofa"]}', "documents that the corpus does not have: “sofa”"),
    ],
)
def test_a_bad_question_is_named_with_its_line(files: tuple[Path, Path], line: str, reason: str) -> None:
    corpus, queries = files
    queries.write_text('{"query": "x", "relevant": ["care"]}\n' + line + "\n", encoding="utf-8")

    assert reason in complaint("retrieval", corpus, queries)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"query": "x"}', "line 1: an answerable question needs an `answer` (gold texts) or a `page`"),
        ('{"query": "x", "answer": "y", "answerable": "no"}', "line 1: `answerable` must be true or false"),
        ('{"query": "x", "page": 4}', "line 1: `page` must be a text"),
    ],
)
def test_a_bad_gold_answer_is_named_with_its_line(files: tuple[Path, Path], line: str, reason: str) -> None:
    corpus, queries = files
    queries.write_text(line + "\n", encoding="utf-8")

    assert reason in complaint("answers", corpus, queries)


def test_a_bad_document_is_named_with_its_line(files: tuple[Path, Path]) -> None:
    corpus, queries = files
    write(queries, [{"query": "x", "relevant": ["a"]}])
    corpus.write_text('{"id": "a", "text": "A"}\n\n{"id": "b"}\n', encoding="utf-8")

    assert complaint("retrieval", corpus, queries).endswith("line 3: `text` is missing.")


def test_two_documents_cannot_have_one_id(files: tuple[Path, Path]) -> None:
    corpus, queries = files
    write(queries, [{"query": "x", "relevant": ["a"]}])
    write(corpus, [{"id": "a", "text": "A"}, {"id": "a", "text": "B"}])

    assert "two documents have the id “a”" in complaint("retrieval", corpus, queries)


def test_a_file_that_is_not_there_is_said_to_be_so(files: tuple[Path, Path], tmp_path: Path) -> None:
    corpus, _queries = files

    assert "There is no file" in complaint("retrieval", corpus, tmp_path / "none.jsonl")


def test_a_folder_is_a_corpus_whose_ids_are_the_names(tmp_path: Path, installation: DatabaseAddress) -> None:
    folder, queries = tmp_path / "pages", tmp_path / "queries.jsonl"
    folder.mkdir()
    assert installation.owner_url
    for row in CORPUS:
        (folder / f"{row['id']}.md").write_text(f"# {row['title']}\n\n{row['text']}\n", encoding="utf-8")
    write(queries, [{"query": "Where was the workshop founded?", "relevant": ["story.md"]}])

    result = run("retrieval", folder, queries, "--json")

    assert json.loads(result.stdout)["hit_1"] == 1.0
