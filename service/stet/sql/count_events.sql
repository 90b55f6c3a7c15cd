-- How many events a rebuild copies.
SELECT count(*)
FROM stet.event e
JOIN stet.checkpoint c ON c.projection = %(target)s AND c.ledger_id = e.ledger_id AND e.position <= c.position
WHERE split_part(e.stream, ':', 1) = ANY (%(kinds)s)
