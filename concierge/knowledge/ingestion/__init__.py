"""Read a source: parse each of its items, chunk and embed it, store it, and keep its progress visible.

Every item is stored in one transaction together with the note that it is done, so a crash at any moment loses at
most the work of the items under way, and a second run goes on where the first one ended, without duplicates. A source
that is read again keeps what it has until the new version of each document is in.
"""

from concierge.knowledge.ingestion.run import Ingestion

__all__ = ["Ingestion"]
