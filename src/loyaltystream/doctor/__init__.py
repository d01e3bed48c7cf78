"""What a new deployment gets wrong: facts in, findings out, each with its fix. Pure."""
