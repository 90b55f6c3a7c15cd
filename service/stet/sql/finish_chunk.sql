-- Compare and set: a worker of a rebuild goes on only from where it was, and only while there is something to copy.
UPDATE stet.rebuild_worker w
SET ledger_id = %(ledger_id)s, stream = %(stream)s, events_done = events_done + %(events)s, finished = %(finished)s
FROM stet.rebuild r
WHERE r.rebuild_id = w.rebuild_id AND r.phase = 'copying'
  AND w.rebuild_id = %(rebuild_id)s AND w.worker = %(worker)s AND NOT w.finished
  AND w.ledger_id IS NOT DISTINCT FROM %(before_id)s::uuid AND w.stream IS NOT DISTINCT FROM %(before)s::text
