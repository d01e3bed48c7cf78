"""What is traced, under which ids, and what is told of it; knows no tracing library."""
