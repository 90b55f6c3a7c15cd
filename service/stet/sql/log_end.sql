-- Where a log ends.
SELECT position FROM stet.head WHERE ledger_id = %(ledger_id)s
