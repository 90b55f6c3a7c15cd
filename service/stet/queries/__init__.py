"""The read side: views at a cut."""
