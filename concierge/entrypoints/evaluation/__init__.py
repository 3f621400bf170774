"""Measuring finding and answering on documents and questions of one's own, through the product's own code."""

from concierge.entrypoints.evaluation.answers import AnswerReport, AnswerRow, measure_answers
from concierge.entrypoints.evaluation.documents import (
    AnswerQuery,
    EvalDocument,
    RetrievalQuery,
    read_answer_queries,
    read_documents,
    read_retrieval_queries,
)
from concierge.entrypoints.evaluation.retrieval import RetrievalReport, RetrievalRow, measure_retrieval
from concierge.entrypoints.evaluation.tenant import Collection, ingest, temporary_organization

__all__ = [
    "AnswerQuery",
    "AnswerReport",
    "AnswerRow",
    "Collection",
    "EvalDocument",
    "RetrievalQuery",
    "RetrievalReport",
    "RetrievalRow",
    "ingest",
    "measure_answers",
    "measure_retrieval",
    "read_answer_queries",
    "read_documents",
    "read_retrieval_queries",
    "temporary_organization",
]
