"""The steps of judging: one a file, pure functions, batch in, batch out; none knows another."""
