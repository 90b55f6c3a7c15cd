"""Rebuilds: a projection built anew beside the live one, compared with it, and put in its place."""
