-- What the events of some streams up to a position say, as it is stored.
SELECT stream, position, stream_version, type, payload::text
FROM stet.event
WHERE ledger_id = %(ledger_id)s AND stream = ANY (%(streams)s) AND position <= %(up_to)s
ORDER BY position
