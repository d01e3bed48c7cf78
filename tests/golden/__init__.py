"""Golden cases as files: what came in, what became of it, and why."""
