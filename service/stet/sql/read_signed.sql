-- Every checkpoint that was signed of a log.
SELECT size, root, note, signed_at FROM stet.signed_checkpoint WHERE ledger_id = %(ledger_id)s ORDER BY size
