"""Views that are kept as tables, so that lists and search can be answered at any cut."""
