-- Rebuilds, the last first, and how far they are: one, those of a projection, or all.
SELECT r.rebuild_id, r.projection, r.version, r.phase, r.workers, r.verify_only, r.accept_differences, r.cancel,
       r.requested_at, r.started_at, r.finished_at, r.events_total,
       extract(epoch FROM coalesce(r.copied_at, r.finished_at, now()) - r.started_at)::float8,
       (SELECT coalesce(sum(w.events_done), 0)::bigint FROM stet.rebuild_worker w WHERE w.rebuild_id = r.rebuild_id),
       r.parked, r.digests::text, r.differences::text, r.error
FROM stet.rebuild r
WHERE (%(rebuild_id)s::uuid IS NULL OR r.rebuild_id = %(rebuild_id)s)
  AND (%(projection)s::text IS NULL OR r.projection = %(projection)s)
ORDER BY r.requested_at DESC, r.rebuild_id DESC
LIMIT 100
