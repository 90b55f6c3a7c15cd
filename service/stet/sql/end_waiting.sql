-- A message waits no more.
DELETE FROM stet.webhook_queue
WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s AND stream = %(stream)s AND position = %(position)s
  AND queued = %(queued)s
