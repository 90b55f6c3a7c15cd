"""PURE: redaction: which fields of an event may be erased, what stands in their place, and who says so."""
