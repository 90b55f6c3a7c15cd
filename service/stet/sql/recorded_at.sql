-- When the event at a position was recorded.
SELECT recorded_at FROM stet.event WHERE ledger_id = %(ledger_id)s AND position = %(position)s
