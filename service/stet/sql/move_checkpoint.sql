-- Compare and set: a checkpoint moves only from where it was read.
UPDATE stet.checkpoint SET position = %(to)s
WHERE projection = %(projection)s AND ledger_id = %(ledger_id)s AND position = %(from)s
