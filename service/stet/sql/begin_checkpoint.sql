-- A projection that has taken nothing of a log yet.
INSERT INTO stet.checkpoint (projection, ledger_id, position) VALUES (%(projection)s, %(ledger_id)s, 0)
ON CONFLICT DO NOTHING
