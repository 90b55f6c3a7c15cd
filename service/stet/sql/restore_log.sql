-- Takes what was copied as the log of a ledger.
SELECT stet.restore(%(ledger_id)s, %(name)s)
