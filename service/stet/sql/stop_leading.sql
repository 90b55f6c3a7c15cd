-- Leaves what this connection leads to another.
SELECT pg_advisory_unlock_all()
