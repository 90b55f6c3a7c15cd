"""The reference incident: one news report of a helicopter shot down by mistake, to the last claim."""
