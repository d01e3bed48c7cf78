"""Laws that hold for any input, tried with generated ones."""
