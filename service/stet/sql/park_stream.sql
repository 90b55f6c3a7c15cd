-- Sets a stream aside that a projection could not take.
INSERT INTO stet.parked (projection, ledger_id, stream, position, error)
VALUES (%(projection)s, %(ledger_id)s, %(stream)s, %(position)s, %(error)s)
ON CONFLICT (projection, ledger_id, stream)
DO UPDATE SET position = excluded.position, error = excluded.error, parked_at = now()
