-- The parked streams of a projection, of one ledger or of all, one stream or all.
SELECT l.name, l.ledger_id, p.stream
FROM stet.parked p
JOIN stet.ledger l USING (ledger_id)
WHERE p.projection = %(projection)s AND (%(ledger)s::text IS NULL OR l.name = %(ledger)s)
  AND (%(stream)s::text IS NULL OR p.stream = %(stream)s)
ORDER BY p.parked_at, p.ledger_id, p.stream
