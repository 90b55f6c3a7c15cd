-- The nodes of some spans of a tree.
SELECT n.level, n.index, n.hash
FROM unnest(%(levels)s::smallint[], %(firsts)s::bigint[], %(ends)s::bigint[]) s(level, first, "end")
JOIN stet.node n ON n.ledger_id = %(ledger_id)s AND n.level = s.level AND n.index >= s.first AND n.index < s."end"
