-- Every node of one level of a tree.
SELECT index, hash FROM stet.node WHERE ledger_id = %(ledger_id)s AND level = %(level)s ORDER BY index
