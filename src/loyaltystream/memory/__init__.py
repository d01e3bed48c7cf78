"""The memory of seen events: what was accepted, in 29 bytes an id, exactly as the log says."""
