"""Stet: an incident database in which nothing is ever overwritten."""

__version__ = "0.1.0"
