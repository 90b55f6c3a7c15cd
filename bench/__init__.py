"""Figures, as ratios taken in one run on one server with the same events. Never part of the tests."""
