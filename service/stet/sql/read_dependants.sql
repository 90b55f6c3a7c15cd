-- The streams that depend on, or hold, some targets.
SELECT target, stream, holds
FROM stet.reference
WHERE ledger_id = %(ledger_id)s AND target = ANY (%(targets)s)
ORDER BY target, stream, holds
