"""Event definitions: what an event of a name must look like, and where it goes."""
