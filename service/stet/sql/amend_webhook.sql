-- Changes where a webhook is sent and what it is told of.
UPDATE stet.webhook
SET url = %(url)s, description = %(description)s, kinds = %(kinds)s, incidents = %(incidents)s, types = %(types)s
WHERE ledger_id = %(ledger_id)s AND webhook_id = %(webhook_id)s
