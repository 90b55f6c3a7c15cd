"""PURE: a document: what statements are cited to, with its publisher's versions and its archived captures."""
