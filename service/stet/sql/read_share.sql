-- What a worker of a rebuild has to copy, and how far it is.
SELECT r.projection, r.workers, w.ledger_id, w.stream, w.finished
FROM stet.rebuild_worker w
JOIN stet.rebuild r USING (rebuild_id)
WHERE w.rebuild_id = %(rebuild_id)s AND w.worker = %(worker)s
