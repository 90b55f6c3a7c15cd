"""Data sets in: the mapping from a row to what it claims, and the readers of files."""
