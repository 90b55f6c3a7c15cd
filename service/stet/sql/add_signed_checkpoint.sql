-- Keeps a checkpoint that was signed; of two at one size the first.
INSERT INTO stet.signed_checkpoint (ledger_id, size, root, note)
VALUES (%(ledger_id)s, %(size)s, %(root)s, %(note)s)
ON CONFLICT DO NOTHING
