-- The last events, as the public sees them, of those of some incidents of which it sees less than there is.
SELECT incident_id, version, updated_at
FROM stet.shown_history
WHERE ledger_id = %(ledger_id)s AND incident_id = ANY (%(incident_ids)s)
  AND from_position <= %(position)s AND to_position > %(position)s
