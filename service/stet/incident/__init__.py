"""PURE: an incident: what was said about it, and how our record of that was revised."""
