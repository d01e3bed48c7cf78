"""What is remembered is moved along when topics are given more partitions."""
