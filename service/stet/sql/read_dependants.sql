-- The streams that stand in one role to some targets.
SELECT target, stream
FROM stet.reference
WHERE ledger_id = %(ledger_id)s AND target = ANY (%(targets)s) AND role = %(role)s
ORDER BY target, stream
