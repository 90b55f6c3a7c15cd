-- The nodes of some spans of a tree, a span at a time.
SELECT s.level, n.index, n.hash
FROM unnest(%(levels)s::smallint[], %(firsts)s::bigint[], %(ends)s::bigint[]) s(level, first, "end")
CROSS JOIN LATERAL (
    SELECT i.index, i.hash FROM stet.node i
    WHERE i.ledger_id = %(ledger_id)s AND i.level = s.level AND i.index >= s.first AND i.index < s."end"
    ORDER BY i.index LIMIT s."end" - s.first
) n
