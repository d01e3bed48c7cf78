"""What is released: an archive of sources and a wheel, and what they hold."""
