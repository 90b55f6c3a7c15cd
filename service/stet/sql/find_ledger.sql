-- The id of a ledger by its name.
SELECT ledger_id FROM stet.ledger WHERE name = %(name)s
