"""Webhooks: what changed, sent signed to whoever asked for it. docs/webhooks.md, docs/adr/0021."""
