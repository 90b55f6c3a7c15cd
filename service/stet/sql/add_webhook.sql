-- Adds a webhook at the end of the log, unless the ledger has as many as it may.
INSERT INTO stet.webhook (
    ledger_id, webhook_id, url, description, kinds, incidents, types, audience, created_by, position)
SELECT h.ledger_id, %(webhook_id)s, %(url)s, %(description)s, %(kinds)s, %(incidents)s, %(types)s, %(audience)s,
       %(created_by)s, h.position
FROM stet.head h
WHERE h.ledger_id = %(ledger_id)s
  AND (SELECT count(*) FROM stet.webhook w WHERE w.ledger_id = h.ledger_id) < %(most)s
