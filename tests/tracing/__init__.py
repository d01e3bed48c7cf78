"""What is traced, and what is told of it."""
