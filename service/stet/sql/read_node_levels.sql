-- How many levels of nodes a tree has.
SELECT coalesce(max(level), 0)::int FROM stet.node WHERE ledger_id = %(ledger_id)s
