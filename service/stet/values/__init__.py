"""PURE: the values that claims and times are made of. Uncertain values are values; what is missing is unknown."""
