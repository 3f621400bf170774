"""What a business offers: products, promotions, entries such as policies, and what finding them quickly needs."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

SETTINGS = """
CREATE TABLE catalog_settings (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    currency text NOT NULL DEFAULT 'USD' CONSTRAINT ck_catalog_settings_currency CHECK (currency ~ '^[A-Z]{3}$'),
    time_zone text NOT NULL DEFAULT 'UTC',
    synonyms jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 0,
    product_count integer NOT NULL DEFAULT 0,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id)
);
"""

# A sku names a product within its organization. What every search scores stays in the row; the rest moves out of its way.
PRODUCTS = """
CREATE TABLE catalog_products (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    sku text NOT NULL,
    title text NOT NULL,
    description text NOT NULL DEFAULT '',
    category text NOT NULL DEFAULT '',
    category_key text NOT NULL DEFAULT '',
    brand text NOT NULL DEFAULT '',
    url text,
    image_url text,
    currency text NOT NULL CONSTRAINT ck_catalog_products_currency CHECK (currency ~ '^[A-Z]{3}$'),
    price numeric(14, 3) CONSTRAINT ck_catalog_products_price CHECK (price >= 0),
    sale_price numeric(14, 3) CONSTRAINT ck_catalog_products_sale_price CHECK (sale_price >= 0),
    sale_begins date,
    sale_ends date,
    lowest numeric(14, 3),
    availability text,
    quantity integer CONSTRAINT ck_catalog_products_quantity CHECK (quantity >= 0),
    in_stock boolean,
    attributes jsonb NOT NULL DEFAULT '{}',
    variants jsonb NOT NULL DEFAULT '[]',
    featured_rank integer,
    audience text CONSTRAINT ck_catalog_products_audience
        CHECK (audience ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(audience) <= 40),
    active boolean NOT NULL DEFAULT true,
    text text NOT NULL,
    content_hash bytea NOT NULL,
    facets text[] NOT NULL DEFAULT '{}',
    terms bigint[] NOT NULL,
    bm25 sparsevec(999999999) NOT NULL,
    embedding halfvec(384),
    sentence_vectors bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT uq_catalog_products_org_id_sku UNIQUE (org_id, sku)
);
ALTER TABLE catalog_products SET (toast_tuple_target = 1800);
ALTER TABLE catalog_products ALTER COLUMN embedding SET STORAGE PLAIN;
ALTER TABLE catalog_products ALTER COLUMN bm25 SET STORAGE MAIN;
ALTER TABLE catalog_products ALTER COLUMN terms SET STORAGE EXTERNAL;
ALTER TABLE catalog_products ALTER COLUMN sentence_vectors SET STORAGE EXTERNAL;
CREATE INDEX ix_catalog_products_terms ON catalog_products USING gin (terms) WITH (fastupdate = off);
CREATE INDEX ix_catalog_products_embedding ON catalog_products USING hnsw (embedding halfvec_ip_ops);
CREATE INDEX ix_catalog_products_category ON catalog_products (org_id, category_key, lowest) WHERE active;
CREATE INDEX ix_catalog_products_lowest ON catalog_products (org_id, lowest) WHERE active;
CREATE INDEX ix_catalog_products_created ON catalog_products (org_id, created_at) WHERE active;
CREATE INDEX ix_catalog_products_sale ON catalog_products (org_id, sale_ends) WHERE active AND sale_price IS NOT NULL;
CREATE INDEX ix_catalog_products_featured ON catalog_products (org_id, featured_rank)
    WHERE active AND featured_rank IS NOT NULL;
CREATE INDEX ix_catalog_products_waiting ON catalog_products (org_id, id) WHERE embedding IS NULL;
"""

# How many products hold a word, of those that everybody may see; and what categories, brands and attributes there are.
COUNTS = """
CREATE TABLE catalog_terms (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    term bigint NOT NULL,
    df integer NOT NULL,
    PRIMARY KEY (org_id, term)
);
CREATE TABLE catalog_facets (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    name text NOT NULL,
    value text NOT NULL,
    audience text NOT NULL,
    products integer NOT NULL,
    PRIMARY KEY (org_id, name, value, audience)
);
"""

PROMOTIONS = """
CREATE TABLE catalog_promotions (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    title text NOT NULL,
    text text NOT NULL,
    conditions text NOT NULL DEFAULT '',
    url text,
    begins date,
    ends date,
    percent numeric(5, 2) CONSTRAINT ck_catalog_promotions_percent CHECK (percent > 0 AND percent < 100),
    amount numeric(14, 3) CONSTRAINT ck_catalog_promotions_amount CHECK (amount > 0),
    applies_to text NOT NULL CONSTRAINT ck_catalog_promotions_applies_to
        CHECK (applies_to IN ('all', 'category', 'skus')),
    category text NOT NULL DEFAULT '',
    skus text[] NOT NULL DEFAULT '{}',
    audience text CONSTRAINT ck_catalog_promotions_audience
        CHECK (audience ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(audience) <= 40),
    active boolean NOT NULL DEFAULT true,
    embedding halfvec(384),
    sentence_vectors bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id),
    CONSTRAINT ck_catalog_promotions_dates CHECK (begins <= ends)
);
"""

ENTRIES = """
CREATE TABLE catalog_entries (
    org_id uuid NOT NULL REFERENCES organizations ON DELETE CASCADE,
    id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT ck_catalog_entries_kind CHECK (kind IN ('policy', 'company', 'support', 'faq')),
    title text NOT NULL,
    text text NOT NULL,
    url text,
    position integer NOT NULL DEFAULT 0,
    audience text CONSTRAINT ck_catalog_entries_audience
        CHECK (audience ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(audience) <= 40),
    active boolean NOT NULL DEFAULT true,
    embedding halfvec(384),
    sentence_vectors bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, id)
);
CREATE INDEX ix_catalog_entries_kind ON catalog_entries (org_id, kind, position);
"""

# A price on a day: the lowest of the list price, a sale that runs, and the discounts, which are kept by what they are on:
# `{"*": [10, null], "c:sofas": [null, 50], "s:S-101": [15, 100]}` are percent and amount on everything, a category, a sku.
PRICES = """
CREATE FUNCTION catalog_discounted(price numeric, discount jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT least(
        price - price * (discount->>0)::numeric / 100,
        CASE WHEN (discount->>1)::numeric < price THEN price - (discount->>1)::numeric END) $$;
CREATE FUNCTION catalog_price(product catalog_products, today date, discounts jsonb) RETURNS numeric
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$ SELECT CASE WHEN product.lowest IS NOT NULL THEN least(
        product.lowest,
        CASE WHEN product.sale_price IS NOT NULL AND coalesce(product.sale_begins, '-infinity') <= today
                  AND today <= coalesce(product.sale_ends, 'infinity') THEN product.sale_price END,
        CASE WHEN discounts IS NOT NULL THEN least(
            catalog_discounted(product.lowest, discounts->'*'),
            catalog_discounted(product.lowest, discounts->('c:' || product.category_key)),
            catalog_discounted(product.lowest, discounts->('s:' || product.sku))) END) END $$;
"""

# Array operators are not leak-proof, so under row-level security PostgreSQL would not use the posting lists. This
# function owns the right to, and names the tenant itself in each of its parts. Each part is one of the ways to come by
# candidates: all products of a small catalogue; the order that was asked for; words; meaning; a look around.
CANDIDATES = """
CREATE FUNCTION catalog_candidates(
    words bigint[], every bigint[], either bigint[], query sparsevec, vector halfvec, everything boolean, labels text[],
    today date, discounts jsonb, low numeric, high numeric, stocked boolean, reduced boolean, sort text, only_category text,
    small boolean, wanted integer
)
    RETURNS TABLE (product_id uuid)
    LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 20
    SET search_path = public, pg_temp SET plan_cache_mode = force_custom_plan
    AS $$
    DECLARE org uuid := app_org_id();
    BEGIN
        IF sort <> '' AND words IS NULL AND either IS NULL AND (every IS NULL OR only_category <> '') AND NOT small THEN
            RETURN QUERY (SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active AND sort = 'cheapest' AND p.lowest IS NOT NULL {within} {matching}
                ORDER BY p.lowest LIMIT wanted)
              UNION (SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active AND sort = 'cheapest' AND p.sale_price IS NOT NULL {within} {matching}
                ORDER BY p.sale_ends DESC LIMIT {budget})
              UNION (SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active AND sort = 'cheapest' AND p.sku = ANY (ARRAY(
                    SELECT substr(key, 3) FROM jsonb_object_keys(discounts) AS key WHERE key LIKE 's:%')) {within} {matching})
              UNION (SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active AND sort = 'dearest' AND p.lowest IS NOT NULL {within} {matching}
                ORDER BY p.lowest DESC LIMIT wanted)
              UNION (SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active AND sort = 'newest' {within} {matching}
                ORDER BY p.created_at DESC LIMIT wanted);
            RETURN;
        END IF;
        IF sort <> '' THEN
            RETURN QUERY SELECT p.id FROM catalog_products p
                WHERE p.org_id = org AND p.active {matching} AND (sort = 'newest' OR p.lowest IS NOT NULL)
                  AND (words IS NULL OR p.terms && words) AND (every IS NULL OR p.terms @> every)
                  AND (either IS NULL OR p.terms && either)
                ORDER BY CASE sort WHEN 'cheapest' THEN catalog_price(p, today, discounts)
                                   WHEN 'dearest' THEN -catalog_price(p, today, discounts)
                                   ELSE -extract(epoch FROM p.created_at) END
                LIMIT wanted;
            RETURN;
        END IF;
        IF small THEN
            RETURN QUERY WITH scored AS MATERIALIZED (
                SELECT p.id, p.bm25 <#> query AS bm25, p.embedding <#> vector AS cosine FROM catalog_products p
                WHERE p.org_id = org AND p.active {matching}
                  AND (every IS NULL OR p.terms @> every) AND (either IS NULL OR p.terms && either)
            ) (SELECT s.id FROM scored s WHERE s.bm25 < 0 ORDER BY s.bm25 LIMIT wanted)
              UNION (SELECT s.id FROM scored s ORDER BY s.cosine NULLS LAST LIMIT wanted);
            RETURN;
        END IF;
        IF reduced THEN
            RETURN QUERY SELECT s.id FROM (
                (SELECT p.id FROM catalog_products p
                    WHERE p.org_id = org AND p.active AND p.sale_price IS NOT NULL AND p.sale_ends IS NULL LIMIT {budget})
                UNION ALL (SELECT p.id FROM catalog_products p
                    WHERE p.org_id = org AND p.active AND p.sale_price IS NOT NULL AND p.sale_ends >= today LIMIT {budget})
                UNION ALL (SELECT p.id FROM catalog_products p
                    WHERE p.org_id = org AND p.active AND p.sku = ANY (ARRAY(
                        SELECT substr(key, 3) FROM jsonb_object_keys(discounts) AS key WHERE key LIKE 's:%')))
                UNION ALL (SELECT p.id FROM catalog_products p
                    WHERE p.org_id = org AND p.active AND p.category_key = ANY (ARRAY(
                        SELECT substr(key, 3) FROM jsonb_object_keys(discounts) AS key WHERE key LIKE 'c:%'))
                    LIMIT {budget})
                UNION ALL (SELECT p.id FROM catalog_products p
                    WHERE p.org_id = org AND p.active AND discounts ? '*' AND (every IS NULL OR p.terms @> every)
                    LIMIT {budget})) s
                JOIN catalog_products p ON p.org_id = org AND p.id = s.id
                WHERE (every IS NULL OR p.terms @> every) AND (either IS NULL OR p.terms && either) {matching}
                GROUP BY s.id ORDER BY min(p.embedding <#> vector) NULLS LAST, s.id LIMIT wanted;
            RETURN;
        END IF;
        IF every IS NOT NULL OR either IS NOT NULL THEN
            RETURN QUERY WITH scored AS MATERIALIZED (
                SELECT p.id, p.bm25 <#> query AS bm25, p.embedding <#> vector AS cosine FROM catalog_products p
                WHERE (p.org_id = org) IS TRUE AND p.active {matching}
                  AND (every IS NULL OR p.terms @> every) AND (either IS NULL OR p.terms && either)
                LIMIT {sample}
            ) (SELECT s.id FROM scored s WHERE s.bm25 < 0 ORDER BY s.bm25 LIMIT wanted)
              UNION (SELECT s.id FROM scored s ORDER BY s.cosine NULLS LAST LIMIT wanted);
            RETURN;
        END IF;
        IF words IS NOT NULL THEN
            RETURN QUERY SELECT s.id FROM (
                SELECT p.id, p.bm25 FROM catalog_products p
                WHERE p.terms && words AND (p.org_id = org) IS TRUE AND p.active {matching}
                LIMIT {budget}) s
                ORDER BY s.bm25 <#> query LIMIT wanted;
        END IF;
        RETURN QUERY SELECT p.id FROM catalog_products p
            WHERE p.org_id = org AND p.active AND p.embedding IS NOT NULL {matching}
            ORDER BY p.embedding <#> vector LIMIT wanted;
    END $$;
REVOKE ALL ON FUNCTION catalog_candidates FROM PUBLIC;
GRANT EXECUTE ON FUNCTION catalog_candidates TO concierge_app;
"""
MATCHING = """AND may_read(p.audience, everything, labels)
                  AND (low IS NULL OR catalog_price(p, today, discounts) >= low)
                  AND (high IS NULL OR catalog_price(p, today, discounts) <= high)
                  AND (NOT stocked OR p.in_stock)
                  AND (NOT reduced OR catalog_price(p, today, discounts) < p.lowest)"""
# So many products that share a word, or a property, are compared; more of them say that the word tells little.
BUDGET = 1_200
# Of those that are as the message wants them, so many are compared.
SAMPLE = 600
WITHIN = "AND (only_category = '' OR p.category_key = only_category)"


def upgrade() -> None:
    for statement in (SETTINGS, PRODUCTS, COUNTS, PROMOTIONS, ENTRIES, PRICES):
        op.execute(statement)
    op.execute(
        CANDIDATES.replace("{matching}", MATCHING)
        .replace("{within}", WITHIN)
        .replace("{budget}", str(BUDGET))
        .replace("{sample}", str(SAMPLE))
    )
    for name in ("settings", "products", "terms", "facets", "promotions", "entries"):
        op.execute(f"ALTER TABLE catalog_{name} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY tenant ON catalog_{name} USING (org_id = (SELECT app_org_id()))")
