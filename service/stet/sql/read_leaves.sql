-- The leaves of some spans of a log, by their indexes from 0. A span at a time: joined, a plan that is made for any spans
-- would read the whole log.
SELECT 0, e.position - 1, e.leaf
FROM unnest(%(firsts)s::bigint[], %(ends)s::bigint[]) s(first, "end")
CROSS JOIN LATERAL (
    SELECT i.position, i.leaf FROM stet.event i
    WHERE i.ledger_id = %(ledger_id)s AND i.position > s.first AND i.position <= s."end"
    ORDER BY i.position LIMIT s."end" - s.first
) e
