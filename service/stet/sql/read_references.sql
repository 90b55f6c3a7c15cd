-- Everything that the table of dependent streams holds for a ledger.
SELECT target, stream, role FROM stet.reference WHERE ledger_id = %(ledger_id)s
