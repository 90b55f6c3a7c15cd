-- Holds the order of the log until the transaction ends.
SELECT stet.hold(%(ledger_id)s)
