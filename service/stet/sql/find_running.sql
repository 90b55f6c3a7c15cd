-- The rebuild of a projection that has not ended.
SELECT rebuild_id FROM stet.rebuild WHERE projection = %(projection)s AND phase <> ALL (%(ended)s)
