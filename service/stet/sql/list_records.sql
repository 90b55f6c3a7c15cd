-- The keys of a data set at a cut, in order, and the row that the last line of each, in the order of recording,
-- published; null: it took the row back. The rows are taken from the log, byte for byte.
SELECT last.record_key, (e.payload->'record'->'value')::text
FROM (
    SELECT DISTINCT ON (s.record_key) s.ledger_id, s.record_key, s.statement_position, s.retracts
    FROM stet.statement_history s
    WHERE {filters} AND s.speaker = %(source_id)s AND s.record_key IS NOT NULL
      AND s.record_key > %(after)s COLLATE "C"
    ORDER BY s.record_key, s.statement_position DESC
    LIMIT %(limit)s
) last
LEFT JOIN stet.event e
    ON e.ledger_id = last.ledger_id AND e.position = last.statement_position AND last.retracts IS NULL
ORDER BY last.record_key
