-- Asks a rebuild to stop, if it has not ended; one that nobody has begun has ended with that.
UPDATE stet.rebuild
SET cancel = true, phase = CASE phase WHEN 'queued' THEN 'cancelled' ELSE phase END,
    finished_at = CASE phase WHEN 'queued' THEN now() END
WHERE rebuild_id = %(rebuild_id)s AND phase <> ALL (%(ended)s)
