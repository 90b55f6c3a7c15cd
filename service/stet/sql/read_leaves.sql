-- The leaves of some spans of a log, by their indexes from 0.
SELECT 0, e.position - 1, e.leaf
FROM unnest(%(firsts)s::bigint[], %(ends)s::bigint[]) s(first, "end")
JOIN stet.event e ON e.ledger_id = %(ledger_id)s AND e.position > s.first AND e.position <= s."end"
