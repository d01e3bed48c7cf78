"""Event definitions in the vendor's words and with the vendor's codes."""
