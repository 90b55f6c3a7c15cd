"""The log: its only writer and its only readers."""
