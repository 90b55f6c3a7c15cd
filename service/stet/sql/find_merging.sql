-- The sources that were merged, and that are still named somewhere, by the last word of their streams.
SELECT e.ledger_id, e.stream
FROM stet.event e
WHERE e.type = 'source-merged' AND e.payload ->> 'reached' IS NOT NULL
  AND NOT EXISTS (
      SELECT FROM stet.event later
      WHERE later.ledger_id = e.ledger_id AND later.stream = e.stream AND later.type = 'source-merged'
        AND later.stream_version > e.stream_version)
ORDER BY e.ledger_id, e.stream
LIMIT 100
