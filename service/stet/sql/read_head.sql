-- When the last event of a log was recorded.
SELECT recorded_at FROM stet.head WHERE ledger_id = %(ledger_id)s
