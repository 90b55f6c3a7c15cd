-- Where a projection is in a log; nobody else moves it until the transaction ends.
SELECT position FROM stet.checkpoint WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s FOR UPDATE
