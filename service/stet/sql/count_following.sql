-- How many streams that name a source have not followed it yet.
SELECT count(*)
FROM stet.reference r
WHERE r.ledger_id = %(ledger_id)s AND r.target = %(target)s
  AND encode(sha256(convert_to(r.stream, 'UTF8')), 'hex') > %(reached)s
