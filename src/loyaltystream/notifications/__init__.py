"""What an accepted event causes: the catalogue of types, and the mapping of events to them."""
