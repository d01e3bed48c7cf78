"""The HTTP side: who may ask, what is answered, what is served."""
