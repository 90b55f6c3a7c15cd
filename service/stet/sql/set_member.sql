-- A key has this role in a ledger.
INSERT INTO stet.member (ledger_id, key_id, role) VALUES (%(ledger_id)s, %(key_id)s, %(role)s)
ON CONFLICT (ledger_id, key_id) DO UPDATE SET role = excluded.role
