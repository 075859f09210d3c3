-- Takes in a batch that was summed up by item ($1: item, $2: sum, $3: the time of that) and
-- by bucket ($4: item, $5: window, $6: bucket, $7: count), both in the order of items, so
-- that two who write at once lock rows in the same order.
-- 8.022536812036404e-9 is ln 2 by a day of milliseconds. Below exp(-700) PostgreSQL's exp
-- ends with an error; nothing of a score is lost by stopping there.
WITH counted AS (
    INSERT INTO bucket AS old (item, span, number, count)
    SELECT * FROM unnest($4::bigint[], $5::smallint[], $6::integer[], $7::integer[])
    ON CONFLICT (item, span, number) DO UPDATE SET count = old.count + excluded.count
), scored AS (
    INSERT INTO item AS old (id, sum, since, rank, pruned)
    SELECT id, sum, since, ln(sum) + 8.022536812036404e-9::float8 * since, since - 1
    FROM unnest($1::bigint[], $2::double precision[], $3::bigint[]) AS new (id, sum, since)
    ON CONFLICT (id) DO UPDATE SET
        sum = old.sum * exp(greatest(-700, -8.022536812036404e-9::float8 * greatest(0, excluded.since - old.since)))
            + excluded.sum * exp(greatest(-700, -8.022536812036404e-9::float8 * greatest(0, old.since - excluded.since))),
        since = greatest(old.since, excluded.since),
        rank = ln(
            old.sum * exp(greatest(-700, -8.022536812036404e-9::float8 * greatest(0, excluded.since - old.since)))
            + excluded.sum * exp(greatest(-700, -8.022536812036404e-9::float8 * greatest(0, old.since - excluded.since)))
        ) + 8.022536812036404e-9::float8 * greatest(old.since, excluded.since),
        -- Once in a day of events an item's old buckets go.
        pruned = CASE WHEN excluded.since >= old.pruned + 86400000 THEN excluded.since ELSE old.pruned END
    RETURNING id, since, pruned
)
DELETE FROM bucket USING scored
WHERE scored.pruned = scored.since AND bucket.item = scored.id
    AND bucket.number < scored.since / CASE span WHEN 0 THEN 60000 WHEN 1 THEN 1440000 ELSE 10080000 END - 60
