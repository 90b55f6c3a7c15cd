-- Whether any worker leads a projection.
SELECT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.classid = 720311563 AND l.objid = hashtext(%(projection)s)::bigint::bit(32)::bigint
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.granted
)
