"""What the memory of seen ids answers, and what it costs."""
