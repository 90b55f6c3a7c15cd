-- How far a projection is in a log.
SELECT position FROM stet.checkpoint WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s
