"""The traps of an exactly-once loop in Python, and the page that lists them."""
