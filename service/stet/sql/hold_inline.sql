-- Keeps the tables of the inline projections from being switched until the transaction ends.
SELECT pg_advisory_xact_lock_shared(720311561, hashtext(name)) FROM unnest(%(names)s::text[]) name
