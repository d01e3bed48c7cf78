"""Where definitions are kept that many share: on their topic, or behind a running service."""
