"""The real runner, stage and memory on the broker in memory, through thousands of bad days."""
