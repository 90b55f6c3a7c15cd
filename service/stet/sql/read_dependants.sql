-- The streams that stand in one role, or in any, to some targets.
SELECT target, stream, role
FROM stet.reference
WHERE ledger_id = %(ledger_id)s AND target = ANY (%(targets)s) AND role = coalesce(%(role)s, role)
ORDER BY target, stream, role
