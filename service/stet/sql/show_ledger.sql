-- Shows stet_application what a ledger holds; of no name: what none does. Until the session ends, or its transaction.
SELECT set_config('stet.ledger_id', %(ledger_id)s, %(locally)s)
