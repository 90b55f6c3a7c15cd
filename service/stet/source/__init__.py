"""PURE: a source: a person, body, outlet, aggregator, account, data set or unknown that speaks, relays or reports."""
