-- What was done to a key or a member, in the transaction that does it.
SELECT stet.add_audit(%(actor)s, %(ledger_id)s, %(action)s, %(subject)s, %(detail)s)
