-- An item ($1): its sum and the time of that, and for each window how many events the
-- buckets have that are wholly in it, and how many the oldest one has. A window is the
-- buckets from the oldest ($2, $4, $6) to the newest ($3, $5, $7).
SELECT sum, since, hour.whole, hour.oldest, day.whole, day.oldest, week.whole, week.oldest
FROM item,
    LATERAL (
        SELECT coalesce(sum(count) FILTER (WHERE number > $2), 0) AS whole,
            coalesce(sum(count) FILTER (WHERE number = $2), 0) AS oldest
        FROM bucket WHERE item = $1 AND span = 0 AND number BETWEEN $2 AND $3
    ) AS hour,
    LATERAL (
        SELECT coalesce(sum(count) FILTER (WHERE number > $4), 0) AS whole,
            coalesce(sum(count) FILTER (WHERE number = $4), 0) AS oldest
        FROM bucket WHERE item = $1 AND span = 1 AND number BETWEEN $4 AND $5
    ) AS day,
    LATERAL (
        SELECT coalesce(sum(count) FILTER (WHERE number > $6), 0) AS whole,
            coalesce(sum(count) FILTER (WHERE number = $6), 0) AS oldest
        FROM bucket WHERE item = $1 AND span = 2 AND number BETWEEN $6 AND $7
    ) AS week
WHERE id = $1
