"""PURE: a ledger: its title, and the attributes that it defines beside the built-in ones."""
