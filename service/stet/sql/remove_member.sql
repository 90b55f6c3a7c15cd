-- A key is no member of a ledger any more.
DELETE FROM stet.member WHERE ledger_id = %(ledger_id)s AND key_id = %(key_id)s
