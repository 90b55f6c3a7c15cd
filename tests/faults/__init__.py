"""Kills what runs, at random moments, and looks afterwards whether anything is lost, doubled or left behind.

`python -m tests.faults` (`make faults`). Not collected by pytest: it takes minutes, and each run is another one.
"""
