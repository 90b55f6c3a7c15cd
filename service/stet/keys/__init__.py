"""Who may ask: keys, what they may do in each ledger, and the audit of all changes of that."""
