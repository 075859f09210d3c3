-- One row for an item: its decayed sum as it was at `since` (milliseconds), and a rank that
-- orders sums for ever: the logarithm of what the sum would have been at the epoch.
-- Every event changes the rank, so no update of a row can be a heap-only one.
CREATE TABLE IF NOT EXISTS item (
    id bigint PRIMARY KEY,
    sum double precision NOT NULL,
    since bigint NOT NULL,
    rank double precision NOT NULL,
    -- Up to when its old buckets were removed last.
    pruned bigint NOT NULL
);
CREATE INDEX IF NOT EXISTS item_rank ON item (rank DESC);

-- How many events a bucket of an item has. The count is in no index, so updates are
-- heap-only where the page has room.
CREATE TABLE IF NOT EXISTS bucket (
    item bigint NOT NULL,
    span smallint NOT NULL,
    number integer NOT NULL,
    count integer NOT NULL,
    PRIMARY KEY (item, span, number)
) WITH (fillfactor = 90);
