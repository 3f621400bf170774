"""Documents for some: labels that are checked, what operators say of single documents, and counts by audience."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# An archive that was imported may have brought anything; what it meant to keep from the public stays kept from it.
LABELS = """
UPDATE sources SET audience = coalesce(nullif(
    trim(BOTH '-' FROM left(regexp_replace(lower(audience), '[^a-z0-9]+', '-', 'g'), 40)), ''), 'restricted')
WHERE audience IS NOT NULL;
UPDATE documents d SET audience = s.audience FROM sources s
WHERE s.org_id = d.org_id AND s.id = d.source_id AND s.audience IS NOT NULL;
ALTER TABLE sources ADD CONSTRAINT ck_sources_audience
    CHECK (audience ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(audience) <= 40);
ALTER TABLE documents ADD CONSTRAINT ck_documents_audience
    CHECK (audience ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(audience) <= 40);
CREATE INDEX ix_documents_restricted ON documents (org_id, pack_id, audience) INCLUDE (id, chunk_count)
    WHERE audience IS NOT NULL;
"""

# The same text may be public in one place and restricted in another, where it must not depend on the first.
CONTENT = """
ALTER TABLE documents DROP CONSTRAINT uq_documents_org_id_pack_id_content_hash;
ALTER TABLE documents ADD CONSTRAINT uq_documents_org_id_pack_id_content_hash_audience
    UNIQUE NULLS NOT DISTINCT (org_id, pack_id, content_hash, audience);
"""

# It holds for whatever version of the document is read, so it is kept by its place. An empty audience is the public.
JUDGEMENTS = """
CREATE TABLE document_judgements (
    org_id uuid NOT NULL,
    source_id uuid NOT NULL,
    uri text NOT NULL,
    authoritative boolean,
    credibility real CONSTRAINT ck_document_judgements_credibility CHECK (credibility BETWEEN 0 AND 1),
    audience text CONSTRAINT ck_document_judgements_audience
        CHECK (audience ~ '^([a-z0-9]+(-[a-z0-9]+)*)?$' AND length(audience) <= 40),
    PRIMARY KEY (org_id, source_id, uri),
    CONSTRAINT fk_document_judgements_org_id_source_id
        FOREIGN KEY (org_id, source_id) REFERENCES sources ON DELETE CASCADE
);
"""

# Of the counts in `term_stats`, those that stand in restricted documents, which nobody else may notice.
COUNTS = """
CREATE TABLE restricted_term_stats (
    org_id uuid NOT NULL,
    index_id uuid NOT NULL,
    term bigint NOT NULL,
    audience text NOT NULL,
    df integer NOT NULL,
    PRIMARY KEY (org_id, index_id, term, audience),
    CONSTRAINT fk_restricted_term_stats_org_id_index_id
        FOREIGN KEY (org_id, index_id) REFERENCES pack_indexes ON DELETE CASCADE
);
INSERT INTO restricted_term_stats (org_id, index_id, term, audience, df)
SELECT c.org_id, c.index_id, term, d.audience, count(*)
FROM documents d JOIN chunks c ON c.org_id = d.org_id AND c.document_id = d.id, unnest(c.terms) AS term
WHERE d.audience IS NOT NULL GROUP BY 1, 2, 3, 4;
"""

# The one place that says who may read what. It is made part of the queries that use it, and then says just what the
# index of restricted documents holds.
MAY_READ = """
CREATE FUNCTION may_read(audience text, everything boolean, labels text[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT everything OR audience IS NULL OR (audience = ANY (labels)) IS TRUE $$;
"""

# As `chunks_with_terms`, which is for those who may read everything.
LEXICAL_SEARCH = """
CREATE FUNCTION readable_chunks_with_terms(
    indexes uuid[], postings bigint[], query sparsevec, everything boolean, labels text[], wanted integer
)
    RETURNS TABLE (chunk_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
    AS $$
        SELECT id FROM chunks
        WHERE terms && postings AND (org_id = (SELECT app_org_id())) IS TRUE AND (index_id = ANY (indexes)) IS TRUE
          AND document_id NOT IN (
            SELECT d.id FROM documents d
            WHERE d.org_id = (SELECT app_org_id()) AND d.pack_id = ANY (ARRAY(
                SELECT x.pack_id FROM pack_indexes x
                WHERE x.org_id = (SELECT app_org_id()) AND x.id = ANY (indexes)))
              AND NOT may_read(d.audience, everything, labels))
        ORDER BY bm25 <#> query LIMIT wanted
    $$;
REVOKE ALL ON FUNCTION readable_chunks_with_terms FROM PUBLIC;
GRANT EXECUTE ON FUNCTION readable_chunks_with_terms TO concierge_app;
"""


def upgrade() -> None:
    for statement in (LABELS, CONTENT, JUDGEMENTS, COUNTS, MAY_READ, LEXICAL_SEARCH):
        op.execute(statement)
    for table in ("document_judgements", "restricted_term_stats"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON {table} USING (org_id = (SELECT app_org_id()))")
