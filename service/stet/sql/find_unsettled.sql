-- The streams that were redacted after a position: their rows up to it are those of before, or are written anew.
SELECT DISTINCT stream
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND type = 'payload-redacted' AND position > %(position)s
