"""What the doctor looks at: asks the broker, the registry and this machine. Does I/O."""
