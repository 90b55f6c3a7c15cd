-- Removes all rows of some streams from a projection's table: they are written anew.
DELETE FROM {table} h WHERE h.ledger_id = %(ledger_id)s AND h.{id} = ANY (%(ids)s::uuid[])
