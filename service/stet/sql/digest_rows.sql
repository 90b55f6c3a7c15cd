-- How many rows a projection's table has of a ledger at a position, and one digest of all of them, in any order.
WITH one AS (
    SELECT sha256(convert_to({row}::text, 'UTF8')) AS digest
    FROM {table} h
    WHERE h.ledger_id = %(ledger_id)s AND h.from_position <= %(position)s
      AND h.{id} <> ALL (%(apart)s::uuid[])
), bucket AS (
    -- In buckets: what string_agg joins is limited to a gigabyte.
    SELECT get_byte(digest, 0) AS number, count(*) AS rows, sha256(string_agg(digest, ''::bytea ORDER BY digest)) AS digest
    FROM one GROUP BY get_byte(digest, 0)
)
SELECT coalesce(sum(rows), 0)::bigint, encode(sha256(coalesce(string_agg(digest, ''::bytea ORDER BY number), '')), 'hex')
FROM bucket
