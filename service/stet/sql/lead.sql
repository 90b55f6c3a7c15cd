-- Whether this connection leads a projection: it holds its lock already, or gets it.
SELECT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = 720311563 AND l.objid = hashtext(%(name)s)::bigint::bit(32)::bigint
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND l.pid = pg_backend_pid()
) OR pg_try_advisory_lock(720311563, hashtext(%(name)s))
