-- Adds what sources and documents are called.
INSERT INTO stet.name_history (ledger_id, kind, id, from_position, to_position, words)
SELECT %(ledger_id)s, r.kind, r.id, r.from_position, coalesce(r.to_position, 9223372036854775807),
       array_to_tsvector(r.words)
FROM json_to_recordset(%(rows)s::json) r(
    kind text, id uuid, from_position bigint, to_position bigint, words text[])
