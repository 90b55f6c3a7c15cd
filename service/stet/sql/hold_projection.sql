-- Waits for the appends under way, and keeps others from writing to a projection until the transaction ends.
SELECT pg_advisory_xact_lock(720311561, hashtext(%(name)s))
