-- Adds nodes; what another has added meanwhile is the same.
INSERT INTO stet.node (ledger_id, level, index, hash)
SELECT %(ledger_id)s, n.level, n.index, n.hash
FROM unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[]) n(level, index, hash)
ON CONFLICT DO NOTHING
