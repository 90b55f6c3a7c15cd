-- Takes what was copied as the log of a ledger, or as a part of it behind which there is more.
SELECT stet.restore(%(ledger_id)s, %(name)s, %(more)s)
